import { Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { keepSecret } from "../../domain/Secrets.ts"
import type { Channel } from "./Channel.ts"
import type { ChannelKind, ChannelSettings } from "./channels/ChannelKind.ts"
import { email } from "./channels/email.ts"
import { secretParts } from "./channels/secretParts.ts"
import { slack } from "./channels/slack.ts"
import { telegram } from "./channels/telegram.ts"
import { webhook } from "./channels/webhook.ts"

/** Every kind of channel: a new one is a file of its own and a name here. */
export const channelKinds: ReadonlyArray<ChannelKind> = [slack, telegram, webhook, email]

/**
 * Opens the channels that are set up, in the order of their kinds. Their addresses and tokens are secrets, and so are the
 * long parts of them, which servers like to quote.
 */
export const openChannels = (
  settings: ChannelSettings
): Effect.Effect<ReadonlyArray<Channel>, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) =>
    channelKinds.flatMap(({ open, secrets }) => {
      for (const each of secrets(settings)) {
        for (const part of secretParts(Redacted.value(each))) keepSecret(Redacted.make(part))
      }
      const opened = open(settings)
      if (opened === undefined) return []
      const { name, send } = opened
      return [{ name, send: (message) => Effect.provideService(send(message), HttpClient.HttpClient, client) }]
    })
  )
