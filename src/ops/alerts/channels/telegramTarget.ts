import { Result } from "effect"
import type { SettingValue } from "../../../domain/SettingValue.ts"

export interface TelegramTarget {
  /** Of the Bot API, without a slash at its end. */
  readonly server: string
  readonly token: string
  /** A number, or the @name of a channel. */
  readonly chat: string
}

const telegramUrl = "https://api.telegram.org"
const pattern = /^(?:(https?:\/\/[^\s?#]+?)\/bot)?(\d{3,20}:[A-Za-z0-9_-]{10,100})\/(-?\d{1,20}|@[A-Za-z0-9_]{3,64})$/

/** Reads `<bot token>/<chat>`, before which a Bot API server of one's own may stand: `http://host:8081/bot<token>/<chat>`. */
export const readTelegramTarget = (text: string): TelegramTarget | undefined => {
  const [, server = telegramUrl, token, chat] = pattern.exec(text) ?? []
  return token === undefined || chat === undefined ? undefined : { server, token, chat }
}

export const telegramTarget: SettingValue<string> = {
  allowed: "a bot token, / and a chat, as 123456:AAbbcc…/-100123 or 123456:AAbbcc…/@channel",
  parse: (text) => (readTelegramTarget(text) === undefined ? Result.fail("") : Result.succeed(text))
}
