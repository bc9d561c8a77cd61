import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { AlertMessage } from "./ops/alerts/AlertMessage.ts"
import type { Channel } from "./ops/alerts/Channel.ts"
import { channelKinds, openChannels } from "./ops/alerts/channels.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"

const names = channelKinds.map(({ name }) => name)

const flags = {
  channel: Flag.Literals("channel", names).pipe(Flag.withDescription("Only this one"), Flag.optional)
}

const testMessage = (node: string, atMs: number): AlertMessage => ({
  node,
  atMs,
  undelivered: 0,
  events: [
    {
      event: "test",
      rule: "test",
      severity: "warning",
      title: "this channel works",
      sinceMs: atMs,
      marketSinceMs: atMs,
      duration_seconds: 0,
      words: "Nothing is wrong: observer alert test was run.",
      meaning: "Alarms of this node arrive here.",
      action: "Nothing."
    }
  ]
})

const tried = Effect.fnUntraced(function* ({ name, send }: Channel, node: string) {
  const beganMs = yield* Clock.currentTimeMillis
  const failure = yield* Effect.match(send(testMessage(node, beganMs)), {
    onFailure: ({ reason }) => reason,
    onSuccess: () => undefined
  })
  const took_ms = (yield* Clock.currentTimeMillis) - beganMs
  yield* Console.log(`${name}: ${failure === undefined ? "sent" : `FAILED, ${failure}`} (${took_ms} ms)`)
  return failure === undefined
})

const notSet = (asked: string | undefined) => {
  const variables = "OBSERVER_ALERT_SLACK, OBSERVER_ALERT_TELEGRAM, OBSERVER_ALERT_WEBHOOK or OBSERVER_ALERT_SMTP"
  const line =
    asked === undefined
      ? `no channel for alarms is set: set ${variables} (docs/alarms.md says how)`
      : `the channel ${asked} is not set (docs/alarms.md says how)`
  return new ProgramEnd({ code: exitCode.settings, lines: [line] })
}

const test = Command.make(
  "test",
  flags,
  Effect.fnUntraced(function* ({ channel }) {
    const { settings } = yield* readSettings
    const asked = Option.getOrUndefined(channel)
    const wanted = (yield* openChannels(settings)).filter(({ name }) => asked === undefined || name === asked)
    if (wanted.length === 0) return yield* notSet(asked)
    const sent = yield* Effect.forEach(wanted, (each) => tried(each, settings.node))
    if (sent.includes(false)) return yield* new ProgramEnd({ code: 1, lines: [] })
  }, Effect.provide(NodeHttpClient.layerUndici))
).pipe(
  Command.withShortDescription("A test message through each channel that is set"),
  Command.withDescription(
    "Sends a test message through each channel that is set, one try each, and says in a line each whether it arrived and how long it took; exit code 1 when one did not"
  )
)

/** What has to do with alarms (docs/alarms.md). */
export const alertCommand = Command.make("alert").pipe(
  Command.withDescription("The channels of alarms"),
  Command.withSubcommands([test])
)
