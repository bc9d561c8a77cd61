import { Effect, Queue, Result, Schema } from "effect"
import { join } from "node:path"
import { Disk } from "../../journal/Disk.ts"
import { readWhole, replaceWhole } from "../../journal/wholeFile.ts"
import { type Alarm, isFiring } from "./Alarm.ts"

const file = "alerts.json"

const { Array: List, Finite, Int, Literal, Struct } = Schema
const Remembered = Struct({
  v: Literal(1),
  firing: List(
    Struct({
      rule: Schema.String,
      sinceMs: Finite,
      firedAtMs: List(Finite),
      toldAtMs: Finite,
      reminders: Int
    })
  )
})
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Remembered))

/** What was told and is not over, by rule. */
type Alarms = ReadonlyMap<string, Alarm>

const spoken = (alarms: Alarms): string => {
  const firing = [...alarms].flatMap(([rule, alarm]) =>
    isFiring(alarm)
      ? [
          {
            rule,
            sinceMs: alarm.sinceMs,
            firedAtMs: alarm.firedAtMs,
            toldAtMs: alarm.toldAtMs,
            reminders: alarm.reminders
          }
        ]
      : []
  )
  return `${JSON.stringify({ v: 1, firing } satisfies typeof Remembered.Encoded)}\n`
}

/** A disk that does not answer keeps nobody from being told. */
const load_timeout = "5 seconds"
const again = "5 seconds"

/**
 * Remembers in the state folder which alarms were told, so that a restart does not tell them again. The newest is written
 * by an actor of its own: a disk in trouble, which is what alarms are for, holds nobody up.
 */
export const makeAlarmMemory = Effect.fnUntraced(function* (stateDir: string) {
  const disk = yield* Disk
  const wanted = yield* Queue.sliding<string>(1)
  let written: string | undefined
  let isFailing = false

  const load = readWhole(join(stateDir, file)).pipe(
    Effect.timeout(load_timeout),
    Effect.provideService(Disk, disk),
    Effect.map((text): Alarms => {
      if (text === undefined) return new Map()
      const said = Result.getOrThrow(decode(text))
      written = text
      return new Map(said.firing.map(({ rule, ...told }) => [rule, { _tag: "firing", ...told }]))
    }),
    Effect.catchCause((cause) =>
      Effect.as(
        Effect.logWarning("which alarms were told cannot be read; those that last are told again", cause),
        new Map() as Alarms
      )
    )
  )

  const write = Effect.fnUntraced(function* (text: string) {
    if (text === written) return
    const failed = yield* replaceWhole(stateDir, file, Buffer.from(text)).pipe(
      Effect.provideService(Disk, disk),
      Effect.match({ onFailure: ({ message }) => message, onSuccess: () => undefined })
    )
    if (failed === undefined) {
      written = text
      isFailing = false
      return
    }
    if (!isFailing) yield* Effect.logWarning("which alarms were told cannot be kept", { reason: failed })
    isFailing = true
    yield* Effect.sleep(again)
    // Unless there is something newer by now.
    if (Queue.sizeUnsafe(wanted) === 0) yield* Queue.offer(wanted, text)
  })

  return {
    load,
    /** What is to be kept from now on; never waits. */
    keep: (alarms: Alarms) => Effect.asVoid(Queue.offer(wanted, spoken(alarms))),
    /** For a supervisor to run. */
    run: Effect.forever(Effect.flatMap(Queue.take(wanted), write))
  }
})
