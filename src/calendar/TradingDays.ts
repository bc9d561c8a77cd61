import { marketDate, marketMidnight, marketWeekday } from "./MarketTime.ts"

const day_ms = 86_400_000

/** The days of which the table below knows everything that was public as of 2026-11; it is silent about all others. */
export const calendarTable = { asOf: "2026-11", from: "20260101", to: "20271231" } as const

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

/** Holidays whose date the law fixes, `MMDD`: all that is known beyond the table, where lunar days and substitutes are not. */
const fixedHolidays = new Set("0101 0301 0501 0505 0606 0717 0815 1003 1009 1225".split(" "))

/** The exchange rests on 31 December, or on the last weekday of the year when that is a weekend (kis/sessions.md §4). */
const isYearsEnd = (day: string, weekday: number): boolean =>
  day === "1231" || (weekday === 5 && (day === "1230" || day === "1229"))

/** Days on which the college entrance exam moves the session by an hour (KRX notices for 2024 and 2025; 2026 and 2027 by analogy: kis/sessions.md §4, [C]). */
const examDays = new Set(["20241114", "20251113", "20261119", "20271118"])

export type DayKind = "ordinary" | "exam" | "newYear" | "closed"

/** What the broker has said of single days (`YYYYMMDD`), `true` for open. It stands above the table. */
export type SaidDays = ReadonlyMap<string, boolean>

const isClosed = (date: string, weekday: number, said: SaidDays | undefined): boolean => {
  const open = said?.get(date)
  if (open !== undefined) return !open
  if (weekday === 0 || weekday === 6 || holidays.has(date)) return true
  const day = date.slice(4)
  return date > calendarTable.to && (fixedHolidays.has(day) || isYearsEnd(day, weekday))
}

/** The year's first trading day opens an hour later. */
const isFirstOfYear = (date: string, said: SaidDays | undefined): boolean => {
  if (date < calendarTable.from || date.slice(4, 6) !== "01") return false
  const newYear = marketMidnight(`${date.slice(0, 4)}0101`)
  for (let atMs = newYear; marketDate(atMs) < date; atMs += day_ms) {
    if (!isClosed(marketDate(atMs), marketWeekday(atMs), said)) return false
  }
  return true
}

/** What kind of day a market date is; `weekday` 0 is Sunday. */
export const dayKind = (date: string, weekday: number, said?: SaidDays): DayKind => {
  if (isClosed(date, weekday, said)) return "closed"
  if (examDays.has(date)) return "exam"
  return isFirstOfYear(date, said) ? "newYear" : "ordinary"
}

/** Whether the exchange trades on a market date (`YYYYMMDD`). */
export const isTradingDay = (date: string, said?: SaidDays): boolean =>
  !isClosed(date, marketWeekday(marketMidnight(date)), said)

/** The last trading day before a market date, `YYYYMMDD`. */
export const tradingDayBefore = (date: string, said?: SaidDays): string => {
  let day = marketDate(marketMidnight(date) - day_ms)
  while (!isTradingDay(day, said)) day = marketDate(marketMidnight(day) - day_ms)
  return day
}

/** The last day of which it is known, without a hole from `date` on, whether the exchange trades; `undefined`: not even of `date`. */
export const calendarKnownTo = (date: string, said?: SaidDays): string | undefined => {
  let known: string | undefined
  let atMs = marketMidnight(date)
  for (let day = date; ; day = marketDate((atMs += day_ms))) {
    if (day >= calendarTable.from && day <= calendarTable.to) {
      known = calendarTable.to
      atMs = marketMidnight(known)
    } else if (said?.has(day)) known = day
    else return known
  }
}
