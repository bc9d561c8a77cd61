/** No two calls are closer than this share of the even distance. */
const share_min = 0.2
/** How many even distances a call may be late and yet be caught up with: no burst is larger than this and one. */
const late_max = 3

/**
 * Spreads calls evenly, as the broker asks (kis/limits.md §1), at no cost in calls. A place comes back when an answer
 * came, a second ago and jittered; if calls kept the even distance after each one that was late, every lateness would
 * be lost for ever, and at 5–80 ms of jitter that is 2 % of the rate. So the schedule goes on as if nothing had been
 * late, and late calls catch up with it, a little closer together. Time in which nobody wanted to call is no lateness,
 * nor is the wait for a second to pass after a start or a storm: a slower schedule begins with its first call.
 */
export const makePace = (nowMs: number) => {
  let dueMs = nowMs
  let startedMs = Number.NEGATIVE_INFINITY
  let evenBefore_ms = 0

  return {
    /** When the next call may start. */
    openAtMs: (even_ms: number): number => Math.max(dueMs, startedMs + even_ms * share_min),
    /** Somebody wants to call after a time in which nobody did. */
    wanted: (nowMs: number): void => {
      dueMs = Math.max(dueMs, nowMs)
    },
    started: (nowMs: number, even_ms: number): void => {
      const slower = even_ms > evenBefore_ms
      dueMs = Math.max(dueMs, slower ? nowMs : nowMs - even_ms * late_max) + even_ms
      evenBefore_ms = even_ms
      startedMs = nowMs
    }
  }
}
