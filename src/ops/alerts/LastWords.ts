import { Clock, Context, Effect, Option, Result, Schedule, Schema, type Scope } from "effect"
import { join } from "node:path"
import { MarketClock } from "../../calendar/MarketClock.ts"
import { withoutSecrets } from "../../domain/Secrets.ts"
import { Disk } from "../../journal/Disk.ts"
import { readWhole, replaceWhole } from "../../journal/wholeFile.ts"
import type { AlertMessage } from "./AlertMessage.ts"
import type { Channel } from "./Channel.ts"
import { meterDelivery } from "./deliveryMeter.ts"

/** Tells people, once, that the program ends though nobody asked it to; returns when they are told or cannot be. */
type Tell = (reason: string) => Effect.Effect<void>

/** What is said when the program cannot go on; nothing where nobody is to be told. */
export const LastWords = Context.Reference<Tell>("observer/ops/alerts/LastWords", {
  defaultValue: () => () => Effect.void
})

/** Passes the message of an error on as last words. */
export const tellEnd = ({ message }: { readonly message: string }): Effect.Effect<void> =>
  Effect.flatMap(LastWords, (tell) => tell(message))

export interface LastWordsOptions {
  readonly node: string
  readonly stateDir: string
  /** Opened when there is something to be said, and not before. */
  readonly channels: Effect.Effect<ReadonlyArray<Channel>, never, Scope.Scope>
}

/** All channels together have so long: what was received waits to be stored. */
const tell_timeout = "5 seconds"
/** Within it a try that failed is made again. */
const again = "1 second"
const disk_timeout = "1 second"

const reason_length_max = 1_000
const file = "ended.json"
const Said = Schema.fromJsonString(Schema.Struct({ v: Schema.Literal(1), atMs: Schema.Finite, reason: Schema.String }))
const decode = Schema.decodeUnknownResult(Said)
/** A program that is started again and again ends for the same reason as often: people hear of it hourly. */
const silence_ms = 3_600_000

const messageOf = (node: string, atMs: number, marketMs: number, reason: string): AlertMessage => ({
  node,
  atMs,
  undelivered: 0,
  events: [
    {
      event: "ended",
      rule: "ended",
      severity: "critical",
      title: "The observer has ended",
      sinceMs: atMs,
      marketSinceMs: marketMs,
      duration_seconds: 0,
      words: reason,
      meaning: "It cannot go on, and stores what it has; unless it is started again, nothing is recorded.",
      action: "Read the end of observer.log, mend the reason, and start the observer; observer doctor helps."
    }
  ]
})

/**
 * One message through every channel, side by side, by nobody's courier: those end with the program. It is sent before the
 * drain begins, and holds that up for a few seconds at most.
 */
export const makeLastWords = Effect.fnUntraced(function* ({ channels, node, stateDir }: LastWordsOptions) {
  const disk = yield* Disk
  let isTold = false

  /** The state folder may be what has failed: then it is told rather once too often. */
  const briefly = <A, E>(access: Effect.Effect<A, E, Disk>): Effect.Effect<Option.Option<A>> =>
    access.pipe(
      Effect.timeout(disk_timeout),
      Effect.option,
      Effect.provideService(Disk, disk),
      Effect.catchDefect(() => Effect.succeedNone)
    )

  const wasSaid = Effect.fnUntraced(function* (reason: string, nowMs: number) {
    const text = Option.getOrUndefined(yield* briefly(readWhole(join(stateDir, file))))
    const said = Option.getOrUndefined(Result.getSuccess(decode(text)))
    return said !== undefined && said.reason === reason && Math.abs(nowMs - said.atMs) < silence_ms
  })

  const send = Effect.fnUntraced(function* ({ name, send: deliver }: Channel, message: AlertMessage) {
    const failure = yield* deliver(message).pipe(
      Effect.retry({ while: ({ isRetryable }) => isRetryable, schedule: Schedule.spaced(again) }),
      Effect.timeoutOrElse({ duration: tell_timeout, orElse: () => Effect.fail({ reason: "no answer in time" }) }),
      Effect.match({ onFailure: ({ reason }) => reason, onSuccess: () => undefined }),
      Effect.catchDefect((defect) => Effect.succeed(String(defect)))
    )
    yield* meterDelivery(name, failure === undefined ? "sent" : "failed")
    if (failure === undefined) return true
    yield* Effect.logError("the end of the observer cannot be told on a channel", { channel: name, reason: failure })
    return false
  })

  const tell: Tell = Effect.fnUntraced(function* (raw) {
    if (isTold) return
    isTold = true
    // An error that nobody waited for may quote anything; people read this on a phone.
    const reason = withoutSecrets(raw).slice(0, reason_length_max)
    yield* Effect.logFatal("the observer ends: it cannot go on", { reason })
    const nowMs = yield* Clock.currentTimeMillis
    const open = yield* channels
    if (open.length === 0 || (yield* wasSaid(reason, nowMs))) return
    const message = messageOf(node, nowMs, (yield* MarketClock).at(nowMs), reason)
    const sent = yield* Effect.forEach(open, (channel) => send(channel, message), { concurrency: "unbounded" })
    if (!sent.includes(true)) return
    const text = `${JSON.stringify({ v: 1, atMs: nowMs, reason } satisfies typeof Said.Type)}\n`
    yield* briefly(replaceWhole(stateDir, file, Buffer.from(text)))
  }, Effect.scoped)
  return tell
})
