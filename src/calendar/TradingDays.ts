import { marketDate, marketMidnight, marketWeekday } from "./MarketTime.ts"

const day_ms = 86_400_000

/**
 * Days on which the exchange is closed besides weekends, `YYYYMMDD`. From public announcements as of 2026-11: the two
 * days announced in May 2026 (local elections, Constitution Day) and Chuseok are confirmed (kis/sessions.md §4), the
 * others follow the public holidays with their substitutes, 1 May, and 31 December.
 */
const holidays = new Set(
  `20260101 20260216 20260217 20260218 20260302 20260501 20260505 20260525 20260603 20260717 20260817 20260924
   20260925 20261005 20261009 20261225 20261231
   20270101 20270208 20270209 20270301 20270505 20270513 20270719 20270816 20270914 20270915 20270916 20271004
   20271011 20271227 20271231`.split(/\s+/)
)

/** Days with hours of their own: the college entrance exam moves everything by an hour, New Year's first day only the open. */
const lateDays: Readonly<Record<string, "exam" | "newYear">> = {
  "20241114": "exam",
  "20251113": "exam",
  "20261119": "exam",
  "20260102": "newYear",
  "20270104": "newYear"
}

export type DayKind = "ordinary" | "exam" | "newYear" | "closed"

/** What kind of day a market date is; `weekday` 0 is Sunday. */
export const dayKind = (date: string, weekday: number): DayKind => {
  if (weekday === 0 || weekday === 6 || holidays.has(date)) return "closed"
  return lateDays[date] ?? "ordinary"
}

/** Whether the exchange trades on a market date (`YYYYMMDD`). */
export const isTradingDay = (date: string): boolean => dayKind(date, marketWeekday(marketMidnight(date))) !== "closed"

/** The last trading day before a market date, `YYYYMMDD`. */
export const tradingDayBefore = (date: string): string => {
  let day = marketDate(marketMidnight(date) - day_ms)
  while (!isTradingDay(day)) day = marketDate(marketMidnight(day) - day_ms)
  return day
}
