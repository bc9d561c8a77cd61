import { Clock, Context, Effect, Layer } from "effect"
import type { RecordSource } from "../domain/JournalRecord.ts"
import { type Balance, Conservation } from "../journal/Conservation.ts"
import { Journal } from "../journal/Journal.ts"

/** Records that are neither in the record nor on their way to it, by source; below zero, counted twice. */
export interface ConservationAlarm {
  /** By the machine's clock. */
  readonly sinceMs: number
  readonly remainders: ReadonlyMap<RecordSource, number>
  readonly reason: string
}

/** A remainder of a moment is a fault of the counting at worst; one that lasts so long is said. */
const tolerance_ms = 60_000
const look_ms = 5_000

/** What a watch knows: since when something has been amiss without a break, and whether that was said. */
export interface Watched {
  readonly sinceMs: number
  readonly isTold: boolean
}

/**
 * After a look: `undefined` when nothing is amiss. A time in which the journal cannot be written counts for nothing, for
 * then all of the record waits.
 */
export const watched = (
  before: Watched | undefined,
  { isAmiss, isWritable, nowMs }: { readonly isAmiss: boolean; readonly isWritable: boolean; readonly nowMs: number }
): Watched | undefined => {
  if (!isAmiss) return undefined
  if (before === undefined || (!isWritable && !before.isTold)) return { sinceMs: nowMs, isTold: false }
  return before.isTold || nowMs - before.sinceMs <= tolerance_ms ? before : { ...before, isTold: true }
}

/** Holds the law of conservation against what is counted; says loudly, and once, when it does not hold. */
export class ConservationWatch extends Context.Service<
  ConservationWatch,
  {
    /** The watch, for a supervisor to run. */
    readonly run: Effect.Effect<never>
    /** What has been amiss for longer than a minute and still is. */
    readonly alarm: Effect.Effect<ConservationAlarm | undefined>
  }
>()("observer/ops/ConservationWatch") {
  static readonly layer = Layer.effect(
    ConservationWatch,
    Effect.suspend(() => make)
  )
}

const remaindersOf = (balances: ReadonlyMap<RecordSource, Balance>): ReadonlyMap<RecordSource, number> =>
  new Map([...balances].flatMap(([source, { remainder }]) => (remainder === 0 ? [] : [[source, remainder] as const])))

const words = (remainders: ReadonlyMap<RecordSource, number>): string =>
  [...remainders]
    .map(([source, remainder]) =>
      remainder > 0
        ? `${source}: ${remainder} records were received and are nowhere`
        : `${source}: ${-remainder} records more have been settled than received`
    )
    .join("; ")

const make = Effect.gen(function* () {
  const conservation = yield* Conservation
  const journal = yield* Journal
  let state: Watched | undefined

  const look = Effect.gen(function* () {
    const remainders = remaindersOf(yield* conservation.balances)
    const { writable: isWritable } = yield* journal.status
    const before = state
    state = watched(before, { isAmiss: remainders.size > 0, isWritable, nowMs: yield* Clock.currentTimeMillis })
    if (state?.isTold === true && before?.isTold !== true) {
      yield* Effect.logError("records are missing from the count of what was received", {
        reason: words(remainders),
        ...Object.fromEntries(yield* conservation.balances)
      })
    }
    if (state === undefined && before?.isTold === true) yield* Effect.logInfo("no record is missing any more")
  })

  return ConservationWatch.of({
    run: Effect.forever(Effect.andThen(look, Effect.sleep(look_ms))),
    alarm: Effect.map(conservation.balances, (balances) => {
      if (state?.isTold !== true) return undefined
      const remainders = remaindersOf(balances)
      return remainders.size === 0 ? undefined : { sinceMs: state.sinceMs, remainders, reason: words(remainders) }
    })
  })
})
