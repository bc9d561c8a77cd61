import type { SymbolAge } from "../../domain/Assignment.ts"
import { isIndexCode } from "../../domain/SymbolCode.ts"

/** What the sweep knows of one symbol, and when it is to be asked. Times but the pace are the machine's, UTC milliseconds. */
export interface SweepEntry {
  readonly symbol: string
  readonly joinedAtMs: number
  target_ms: number
  planned_ms: number
  /** Not asked again sooner. */
  notBeforeMs: number
  /** The call it is in; 0 when it is in none. */
  call: number
  /** The sweep's pace when it was last asked, in vain or not. */
  askedAt: number
  /** The sweep's pace when it was asked and answered; before that, when its first turn is. */
  takenAt: number
  seenAtMs: number | undefined
  interval_ms: number
  misses: number
  /** Until when it is asked alone, because calls for many leave it out and a call for one does not. */
  aloneUntilMs: number
  late: SymbolAge["late"]
  price: number | undefined
  cumVolume: number | undefined
}

/** Answers that leave a symbol out: after the first it is asked again with others, after the second alone; then it is named, and asked ever more rarely. */
export const missesBeforeAlone = 2
export const missesBeforeNamed = 3
const missed_ms_min = 10_000
const missed_ms_max = 600_000
export const alone_ms = 600_000
/** A symbol that needs a call of its own is asked no more often, or it would cost the others theirs. */
export const aloneInterval_ms = 10_000
/** A symbol is not asked again sooner after its answer, however few there are. */
export const soonest_ms = 200
/** A call that has no answer for so long is no reason to wait: whoever has a call to spend may ask again. */
export const inFlight_ms_max = 5_000
/** Never late. */
export const never: SymbolAge["late"] = { times: 0, worst_ms: 0 }

export const newEntry = (symbol: string, turn: number, nowMs: number): SweepEntry => ({
  symbol,
  joinedAtMs: nowMs,
  target_ms: 0,
  planned_ms: 0,
  notBeforeMs: nowMs,
  call: 0,
  askedAt: turn,
  takenAt: turn,
  seenAtMs: undefined,
  interval_ms: 0,
  misses: 0,
  aloneUntilMs: 0,
  late: never,
  price: undefined,
  cumVolume: undefined
})

/** Whether it needs a call of its own, which indices do not have. */
export const isAlone = ({ aloneUntilMs, misses, symbol }: SweepEntry, nowMs: number): boolean =>
  (misses >= missesBeforeAlone || aloneUntilMs > nowMs) && !isIndexCode(symbol)

/** In the sweep's own time. Who was left out and is not named yet comes before everything that is merely due. */
export const deadlineOf = ({ misses, planned_ms, seenAtMs, takenAt }: SweepEntry): number => {
  if (misses > 0 && misses < missesBeforeNamed) return Number.NEGATIVE_INFINITY
  return seenAtMs === undefined ? takenAt : takenAt + planned_ms
}

/** How long it is left alone after so many answers in a row without it. */
export const restAfterMisses_ms = (misses: number): number =>
  misses < missesBeforeNamed
    ? 0
    : Math.min(missed_ms_max, missed_ms_min * 2 ** Math.min(misses - missesBeforeNamed, 10))

/** What is said of a symbol that was just answered at the age of `interval_ms`. */
export const lateAfter = (entry: SweepEntry, why: string | undefined): SymbolAge["late"] => {
  const { interval_ms, late, misses, planned_ms, target_ms } = entry
  if (interval_ms <= target_ms) return late
  const times = late.times + 1
  if (interval_ms <= late.worst_ms) return { ...late, times }
  const reason =
    misses > 0
      ? `the broker left it out of ${misses} answers`
      : planned_ms > target_ms
        ? "the calls do not suffice for its target"
        : (why ?? "answers came late")
  return { times, worst_ms: interval_ms, reason }
}
