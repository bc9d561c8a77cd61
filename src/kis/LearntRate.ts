/**
 * How many calls a second the broker really takes, learnt downward: the published limit may be out of date, and a key
 * in its first three days has another.
 *
 * Refusals below the limit are weather and happen in calm (0.9 % of 2,686 calls, kis/limits.md §1), so it is their share
 * that is judged, by Page's cumulative sum: a refusal adds 19, an answer takes 1 away, 80 is a storm. Five refusals in
 * a row are one; a share below 5 % is none, however long it lasts. With 0.5 % weather a key at its full rate is lowered
 * wrongly once in 56 million calls, which is once in five weeks day and night; with 0.9 %, once in two days (the test
 * computes both).
 */
export interface LearntRate {
  readonly limit: number
  readonly rate: number
  /** The cumulative sum. */
  readonly score: number
  /** Monotonic milliseconds of the answers in the last second; bounded by the limit. */
  readonly answeredAtMs: ReadonlyArray<number>
  /** The rate at which the newest storm came. Below it, the way up is quick; to try it again needs patience. */
  readonly ceiling?: number
  /** How long it must have been quiet before the ceiling is tried. */
  readonly probe_ms: number
  readonly changedAtMs: number
}

/** What an earlier run has learnt. */
export interface RecalledRate {
  readonly limit: number
  readonly rate: number
  readonly ceiling?: number
  /** Since the rate was changed. */
  readonly age_ms: number
}

/** When a call was sent, and when what it came to was known: monotonic milliseconds. */
export interface CallTimes {
  readonly sentAtMs: number
  readonly nowMs: number
}

const refused_points = 19
const storm_points = 80
const window_ms = 1_000
const raise_ms = 5_000
const probe_ms_min = 60_000
const probe_ms_max = 900_000
/** What was learnt longer ago may be raised like any other: the three days are over, or the broker has changed its mind. */
const stale_ms = 6 * 3_600_000

/** Begins with the published limit, or where the run before was. A number that was never lowered follows the limit. */
export const initialRate = (limit: number, nowMs: number, recalled?: RecalledRate): LearntRate => {
  const base = { limit, score: 0, answeredAtMs: [], probe_ms: probe_ms_min, changedAtMs: nowMs }
  if (recalled === undefined || recalled.rate >= recalled.limit) return { ...base, rate: limit }
  const { age_ms, ceiling } = recalled
  const fresh = age_ms >= 0 && age_ms < stale_ms
  return {
    ...base,
    rate: Math.max(1, Math.min(limit, recalled.rate)),
    ...(fresh && ceiling !== undefined ? { ceiling } : {})
  }
}

/** A refusal by the gateway. Calls sent before the last change say nothing of the rate since. */
export const onRefused = (learnt: LearntRate, { nowMs, sentAtMs }: CallTimes): LearntRate => {
  if (sentAtMs < learnt.changedAtMs) return learnt
  const score = learnt.score + refused_points
  return score < storm_points ? { ...learnt, score } : lowered(learnt, nowMs)
}

/**
 * A storm says how far down to go: to what the broker did answer in the last second, by a fifth at least and by two
 * thirds at most, for a key that was calling little has few answers to show. A ceiling that fails again is not a new
 * finding: one step back, and the next try in twice the time. One call a second is always made, or nothing is learnt.
 */
const lowered = (learnt: LearntRate, nowMs: number): LearntRate => {
  const { answeredAtMs, ceiling, limit, probe_ms, rate } = learnt
  const changed = { limit, score: 0, answeredAtMs: [], changedAtMs: nowMs }
  if (ceiling !== undefined && rate >= ceiling) {
    return { ...changed, rate: Math.max(1, rate - 1), ceiling, probe_ms: Math.min(probe_ms * 2, probe_ms_max) }
  }
  const answered = answeredAtMs.filter((at) => at > nowMs - window_ms).length
  const to = Math.max(Math.floor(rate / 3), Math.min(Math.floor(rate * 0.8), answered), 1)
  const found = rate > 1 ? rate : ceiling
  return { ...changed, rate: to, ...(found === undefined ? {} : { ceiling: found }), probe_ms: probe_ms_min }
}

/** An answer, of whatever kind: the gateway took the call. */
export const onAnswered = (learnt: LearntRate, { nowMs, sentAtMs }: CallTimes): LearntRate => {
  if (sentAtMs < learnt.changedAtMs) return learnt
  const score = Math.max(0, learnt.score - 1)
  const answeredAtMs = [...learnt.answeredAtMs.filter((at) => at > nowMs - window_ms), nowMs].slice(-learnt.limit)
  return raised({ ...learnt, score, answeredAtMs }, nowMs)
}

/** One more, after a quiet time. Whoever tries a ceiling begins with half a storm on his account, so that little is enough. */
const raised = (learnt: LearntRate, nowMs: number): LearntRate => {
  const quiet_ms = learnt.score === 0 ? nowMs - learnt.changedAtMs : 0
  if (quiet_ms < raise_ms) return learnt
  const { ceiling, ...rest } = learnt
  const { limit, rate } = learnt
  if (ceiling !== undefined && rate >= ceiling) {
    return raised({ ...rest, probe_ms: probe_ms_min }, nowMs)
  }
  if (rate >= limit) return learnt
  const probing = rate + 1 === ceiling
  if (probing && quiet_ms < learnt.probe_ms) return learnt
  return { ...learnt, rate: rate + 1, score: probing ? storm_points / 2 : 0, answeredAtMs: [], changedAtMs: nowMs }
}
