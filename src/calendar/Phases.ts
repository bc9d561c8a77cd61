import type { Phase } from "../domain/Phase.ts"
import { marketDate, marketHour, marketMidnight, marketWeekday } from "./MarketTime.ts"
import { type DayKind, dayKind } from "./TradingDays.ts"

/** From which market time (`HHMMSS`) a phase holds, in order; before the first and after the last the market is closed. */
export type Timetable = ReadonlyArray<readonly [from: string, phase: Phase]>

/** The first day of the KRX after-market, which ended the single-price market of 16:00–18:00 (broker's notice of 2026-09-09). */
const afterMarketSince = "20260914"

/** Whether the evening of a market date is one auction every ten minutes rather than continuous trading. */
export const hasSinglePriceEvening = (date: string): boolean => date < afterMarketSince

const evening = (date: string): Timetable =>
  !hasSinglePriceEvening(date)
    ? [
        ["160000", "afterMarket"],
        ["200000", "closed"]
      ]
    : [
        ["160000", "afterMarket"],
        ["180000", "closed"]
      ]

const timetableOfKind = (kind: DayKind, date: string): Timetable => {
  switch (kind) {
    case "closed":
      return []
    case "ordinary":
      return [
        ["080000", "preOpen"],
        ["083000", "openingAuction"],
        ["090000", "continuous"],
        ["152000", "closingAuction"],
        ["153000", "afterClose"],
        ...evening(date)
      ]
    case "newYear":
      return [
        ["090000", "preOpen"],
        ["093000", "openingAuction"],
        ["100000", "continuous"],
        ["152000", "closingAuction"],
        ["153000", "afterClose"],
        ...evening(date)
      ]
    case "exam":
      return [
        ["090000", "preOpen"],
        ["093000", "openingAuction"],
        ["100000", "continuous"],
        ["162000", "closingAuction"],
        ["163000", "afterClose"],
        // After-market hours of late days are not published; the ordinary end is taken.
        ["170000", "afterMarket"],
        ["200000", "closed"]
      ]
  }
}

/** The phases of a market date (`YYYYMMDD`) in order; none on a day without trading. */
export const timetableOf = (date: string): Timetable =>
  timetableOfKind(dayKind(date, marketWeekday(marketMidnight(date))), date)

/** The phase that the tables expect at an instant (UTC milliseconds); kis/sessions.md §1. */
export const expectedPhase = (atMs: number): Phase => {
  const date = marketDate(atMs)
  const hour = marketHour(atMs)
  let phase: Phase = "closed"
  for (const [from, next] of timetableOfKind(dayKind(date, marketWeekday(atMs)), date)) {
    if (hour < from) break
    phase = next
  }
  return phase
}
