import { Redacted } from "effect"
import { renderText } from "../AlertMessage.ts"
import type { ChannelKind } from "./ChannelKind.ts"
import { post } from "./post.ts"
import { readTelegramTarget } from "./telegramTarget.ts"

/** Telegram takes no longer text. */
const text_max = 4_096
/** `{"ok":false,"error_code":429,"parameters":{"retry_after":30}}`. */
const retryAfterIn = (body: string): number | undefined => {
  const seconds = /"retry_after"\s*:\s*(\d{1,6})/.exec(body)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

/** A Telegram bot that writes into a chat. */
export const telegram: ChannelKind = {
  name: "telegram",
  open: ({ alertTelegram }) => {
    if (alertTelegram === undefined) return undefined
    const target = readTelegramTarget(Redacted.value(alertTelegram))
    if (target === undefined) return undefined
    const { chat, server, token } = target
    const url = Redacted.make(`${server}/bot${token}/sendMessage`)
    return {
      name: "telegram",
      send: (message) =>
        post({
          channel: "telegram",
          url,
          json: JSON.stringify({ chat_id: chat, text: renderText(message, text_max), disable_web_page_preview: true }),
          retryAfterIn
        })
    }
  },
  secrets: ({ alertTelegram }) => {
    if (alertTelegram === undefined) return []
    const target = readTelegramTarget(Redacted.value(alertTelegram))
    return [alertTelegram, ...(target === undefined ? [] : [Redacted.make(target.token)])]
  }
}
