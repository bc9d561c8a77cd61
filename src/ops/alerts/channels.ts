import { Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import type { Channel } from "./Channel.ts"
import type { ChannelKind, ChannelSettings } from "./channels/ChannelKind.ts"
import { email } from "./channels/email.ts"
import { secretParts } from "./channels/secretParts.ts"
import { slack } from "./channels/slack.ts"
import { telegram } from "./channels/telegram.ts"
import { webhook } from "./channels/webhook.ts"

/** Every kind of channel: a new one is a file of its own and a name here. */
export const channelKinds: ReadonlyArray<ChannelKind> = [slack, telegram, webhook, email]

/** Opens the channels that are set up, in the order of their kinds. */
export const openChannels = (
  settings: ChannelSettings
): Effect.Effect<ReadonlyArray<Channel>, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) =>
    channelKinds.flatMap(({ open }) => {
      const opened = open(settings)
      if (opened === undefined) return []
      const { name, send } = opened
      return [{ name, send: (message) => Effect.provideService(send(message), HttpClient.HttpClient, client) }]
    })
  )

/** What of the channels' settings, and of the ping's, must be in no line of the log: addresses and tokens, and their parts. */
export const alertSecrets = (
  settings: ChannelSettings & { readonly pingUrl: Redacted.Redacted | undefined }
): ReadonlyArray<Redacted.Redacted> =>
  [
    ...channelKinds.flatMap(({ secrets }) => secrets(settings)),
    ...(settings.pingUrl ? [settings.pingUrl] : [])
  ].flatMap((each) => secretParts(Redacted.value(each)).map((text) => Redacted.make(text)))
