import { renderText } from "../AlertMessage.ts"
import type { ChannelKind } from "./ChannelKind.ts"
import { post } from "./post.ts"

/** Slack cuts longer texts. */
const text_max = 4_000

/** `&`, `<` and `>` are Slack's own. */
const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/** A Slack incoming webhook. */
export const slack: ChannelKind = {
  name: "slack",
  open: ({ alertSlack: url }) =>
    url && {
      name: "slack",
      send: (message) =>
        post({ channel: "slack", url, json: JSON.stringify({ text: escaped(renderText(message, text_max)) }) })
    },
  secrets: ({ alertSlack }) => (alertSlack === undefined ? [] : [alertSlack])
}
