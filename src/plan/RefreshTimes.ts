import { marketDate, marketHour, marketInstant } from "../calendar/MarketTime.ts"
import { isTradingDay, type SaidDays, tradingDayBefore } from "../calendar/TradingDays.ts"

/** When the day's master files have been seen to appear, and when they are looked for a second time (kis/symbols.md §8). */
const first_hour = "074000"
const second_hour = "082000"
/** Files that have not changed by now will not change today: the calendar does not know of a holiday. */
const last_hour = "160000"

const unchanged_ms = 30 * 60_000
const failed_ms = 5 * 60_000
const day_ms = 86_400_000

/** What came of looking for new master files; `partly`: today's boards are held, and another file could not be had. */
export type RefreshOutcome = "current" | "partly" | "unchanged" | "failed"

/** The market date of which the newest list should tell by now, `YYYYMMDD`. */
export const expectedDate = (nowMs: number, said: SaidDays): string => {
  const date = marketDate(nowMs)
  return isTradingDay(date, said) && marketHour(nowMs) >= first_hour ? date : tradingDayBefore(date, said)
}

const at = (date: string, hour: string): number => marketInstant(date, hour) ?? Number.NaN

/** The next time after now at which a new list should appear. */
const nextFirst = (nowMs: number, said: SaidDays): number => {
  let date = marketDate(nowMs)
  while (!isTradingDay(date, said) || at(date, first_hour) <= nowMs) date = marketDate(at(date, "120000") + day_ms)
  return at(date, first_hour)
}

/** When to look next, in market time: never twice within five minutes, and at 07:40 of the next trading day at the latest. */
export const nextRefresh = (nowMs: number, outcome: RefreshOutcome, said: SaidDays): number => {
  const next = nextFirst(nowMs, said)
  if (outcome === "current") return next
  if (outcome === "failed") return Math.min(next, nowMs + failed_ms)
  const hour = marketHour(nowMs)
  if (hour >= last_hour) return next
  if (outcome === "partly") return Math.min(next, nowMs + failed_ms)
  if (hour >= first_hour && hour < second_hour) return at(marketDate(nowMs), second_hour)
  return Math.min(next, nowMs + unchanged_ms)
}
