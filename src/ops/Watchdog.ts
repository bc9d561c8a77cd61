import { Effect, Option, Schedule } from "effect"
import type { Journal } from "../journal/Journal.ts"
import type { NotifyFailed } from "./watchdog/notifySystemd.ts"

export interface WatchdogOptions {
  readonly journal: Pick<Journal["Service"], "hasAfter" | "recovered" | "status" | "turn">
  /** How it goes, in one line. */
  readonly words: Effect.Effect<string>
  /** After so many seconds without a sign of life the service manager ends the process; absent where it never does. */
  readonly watchdog_seconds: number | undefined
  /** Tells the service manager, `NAME=value` each. */
  readonly notify: (fields: ReadonlyArray<string>) => Effect.Effect<void, NotifyFailed>
}

/** Where nobody waits for signs of life, its words are still worth a look. */
const idle_seconds = 30
/** Signs within one watchdog time: three may get lost. */
const signs = 4

/**
 * Tells systemd how the observer is: that it is ready, that it lives, that it ends, and in words how it goes.
 *
 * A sign of life is progress, not the passing of time: this loop has turned, and the journal's writer has answered a
 * question that waits in its queue behind every append. A writer that hangs, is gone or waits for itself does not
 * answer, and a loop that does not turn asks nothing: either way no sign is given, and systemd starts the program anew.
 *
 * What a restart cannot mend is no reason for one. A disk that refuses holds up the answer too, but the writer says so
 * and tries again by itself: that counts as life. A dead database, a silent broker and a closed market hold up neither.
 *
 * Ready is when the journal has taken its first record of this run, or says why it cannot yet.
 */
export const run = Effect.fnUntraced(function* ({ journal, notify, watchdog_seconds, words }: WatchdogOptions) {
  const beat_seconds = watchdog_seconds === undefined ? idle_seconds : watchdog_seconds / signs
  let refusal = ""
  const tell = (fields: ReadonlyArray<string>) =>
    notify(fields).pipe(
      Effect.tap(() => Effect.sync(() => void (refusal = ""))),
      Effect.catch(({ message }) => {
        if (message === refusal) return Effect.void
        refusal = message
        return Effect.logWarning("systemd could not be told how the observer is", { reason: message })
      })
    )

  /** Nothing that puts words together may hold up a sign of life. */
  const status = words.pipe(
    Effect.timeoutOption("1 second"),
    Effect.catchCause((cause) => Effect.as(Effect.logDebug("there are no words for systemd", cause), Option.none())),
    Effect.map((line) => (Option.isSome(line) ? [`STATUS=${line.value}`] : []))
  )
  const excuse = Effect.map(journal.status, ({ reason }) => reason)

  /** Whether the writer answers, or says why it cannot, within half a beat. */
  const lives = Effect.gen(function* () {
    const answer = yield* Effect.timeoutOption(journal.turn, `${beat_seconds / 2} seconds`)
    return Option.isSome(answer) || (yield* excuse) !== undefined
  })

  let isSilent = false
  const beat = Effect.gen(function* () {
    if (yield* lives) {
      isSilent = false
      return yield* tell(["WATCHDOG=1", ...(yield* status)])
    }
    if (!isSilent)
      yield* Effect.logError("the journal's writer does not answer; if it stays so, systemd ends this process")
    isSilent = true
    yield* tell(["STATUS=! the journal's writer does not answer"])
  })

  const excused = Effect.repeat(excuse, {
    schedule: Schedule.spaced("1 second"),
    until: (reason) => reason !== undefined
  })

  return yield* Effect.gen(function* () {
    yield* Effect.raceFirst(journal.hasAfter(journal.recovered.head.seq), excused)
    yield* tell(["READY=1", ...(yield* status)])
    return yield* Effect.repeat(beat, Schedule.spaced(`${beat_seconds} seconds`))
  }).pipe(Effect.onInterrupt(() => tell(["STOPPING=1", "STATUS=stores what was received, then ends"])))
})
