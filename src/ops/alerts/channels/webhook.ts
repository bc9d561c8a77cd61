import { Redacted } from "effect"
import { createHmac } from "node:crypto"
import { type AlertMessage, renderText } from "../AlertMessage.ts"
import type { ChannelKind } from "./ChannelKind.ts"
import { post } from "./post.ts"

const text_max = 16_000

/** The body of a webhook's request, version 1; docs/alarms.md describes it. */
const bodyOf = (message: AlertMessage): string =>
  JSON.stringify({
    v: 1,
    node: message.node,
    at: new Date(message.atMs).toISOString(),
    text: renderText(message, text_max),
    undelivered: message.undelivered,
    alerts: message.events.map((each) => ({
      event: each.event,
      rule: each.rule,
      severity: each.severity,
      title: each.title,
      since: new Date(each.sinceMs).toISOString(),
      duration_seconds: each.duration_seconds,
      words: each.words,
      meaning: each.meaning,
      action: each.action
    }))
  })

/** The signature of a body: `sha256=` and its HMAC-SHA-256 in hexadecimal. */
const signed = (body: string, secret: string): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`

/** Any server that takes JSON. */
export const webhook: ChannelKind = {
  name: "webhook",
  open: ({ alertWebhook: url, alertWebhookSecret: secret }) =>
    url && {
      name: "webhook",
      send: (message) => {
        const json = bodyOf(message)
        const headers = secret && { "x-observer-signature": signed(json, Redacted.value(secret)) }
        return post({ channel: "webhook", url, json, ...(headers ? { headers } : {}) })
      }
    },
  secrets: ({ alertWebhook, alertWebhookSecret }) =>
    [alertWebhook, alertWebhookSecret].filter((value) => value !== undefined)
}
