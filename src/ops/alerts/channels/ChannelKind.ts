import type { Effect, Redacted } from "effect"
import type { HttpClient } from "effect/http"
import type { AlertMessage } from "../AlertMessage.ts"
import type { DeliveryFailed } from "../Channel.ts"

/** What channels are set up by; each is absent until it is set. */
export interface ChannelSettings {
  readonly alertSlack: Redacted.Redacted | undefined
  /** `<bot token>/<chat>`, with the address of a Bot API server before it where it is not Telegram's. */
  readonly alertTelegram: Redacted.Redacted | undefined
  readonly alertWebhook: Redacted.Redacted | undefined
  readonly alertWebhookSecret: Redacted.Redacted | undefined
  readonly alertSmtp: Redacted.Redacted | undefined
  /** Whom mails go to. */
  readonly alertEmail: ReadonlyArray<string> | undefined
}

/** A kind of channel: how it is opened, and which texts of its settings must not be seen anywhere. */
export interface ChannelKind {
  readonly name: string
  /** `undefined` when it is not set up. */
  readonly open: (settings: ChannelSettings) =>
    | {
        readonly name: string
        readonly send: (message: AlertMessage) => Effect.Effect<void, DeliveryFailed, HttpClient.HttpClient>
      }
    | undefined
  readonly secrets: (settings: ChannelSettings) => ReadonlyArray<Redacted.Redacted>
}
