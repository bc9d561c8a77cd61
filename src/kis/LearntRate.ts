/**
 * How many calls a second the broker really takes, learnt downward: the published limit may be out of date, and a key
 * in its first three days has another. Single refusals are weather (kis/limits.md: refusals at 5/s on an idle Sunday)
 * and change nothing; several close together lower the rate by a fifth, and quiet time raises it again, one at a time.
 */
export interface LearntRate {
  readonly limit: number
  readonly rate: number
  /** Monotonic milliseconds of recent refusals. */
  readonly refusedAtMs: ReadonlyArray<number>
  readonly changedAtMs: number
}

const storm_refusals = 3
const storm_ms = 2_000
const raise_ms = 30_000

export const initialRate = (limit: number, nowMs: number): LearntRate => ({
  limit,
  rate: limit,
  refusedAtMs: [],
  changedAtMs: nowMs
})

export const onRefused = (learnt: LearntRate, nowMs: number): LearntRate => {
  const refusedAtMs = [...learnt.refusedAtMs.filter((at) => nowMs - at < storm_ms), nowMs]
  if (refusedAtMs.length < storm_refusals) return { ...learnt, refusedAtMs }
  return { ...learnt, rate: Math.max(1, Math.floor(learnt.rate * 0.8)), refusedAtMs: [], changedAtMs: nowMs }
}

export const onAnswered = (learnt: LearntRate, nowMs: number): LearntRate =>
  learnt.rate < learnt.limit && nowMs - learnt.changedAtMs >= raise_ms
    ? { ...learnt, rate: learnt.rate + 1, changedAtMs: nowMs }
    : learnt
