import type { OpenSpan } from "../../calendar/Phases.ts"

const day_ms = 86_400_000
const hour_ms = 3_600_000
/** What is farther away is not forecast. */
const days_max = 366

/** Hours until the market has been open for so long, by its calendar; `undefined` when that is more than a year away. */
export const hoursUntil = (
  open_ms: number,
  nowMs: number,
  openSpans: (fromMs: number, toMs: number) => ReadonlyArray<OpenSpan>
): number | undefined => {
  let left_ms = open_ms
  for (let day = 0; day < days_max; day++) {
    for (const { fromMs, toMs } of openSpans(nowMs + day * day_ms, nowMs + (day + 1) * day_ms)) {
      if (left_ms <= toMs - fromMs) return (fromMs + left_ms - nowMs) / hour_ms
      left_ms -= toMs - fromMs
    }
  }
  return undefined
}
