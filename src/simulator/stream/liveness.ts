import type { StreamRules } from "../ExchangeOptions.ts"

/** When a session last did what; monotonic or wall milliseconds alike, as long as it is one clock. */
export interface LineTimes {
  /** The last byte of data, an answer or a PINGPONG that was sent. */
  lastSentMs: number
  /** The oldest PINGPONG that has not been answered. */
  unansweredSinceMs: number | undefined
}

/** What the keeper of the line does now: nothing, ask again, or cut a client that has not answered. */
export const lineDuty = (times: LineTimes, rules: StreamRules, nowMs: number): "nothing" | "ping" | "cut" => {
  const { lastSentMs, unansweredSinceMs } = times
  if (unansweredSinceMs !== undefined && nowMs - unansweredSinceMs >= rules.cutAfterSeconds * 1_000) return "cut"
  return nowMs - lastSentMs >= rules.pingAfterIdleSeconds * 1_000 ? "ping" : "nothing"
}
