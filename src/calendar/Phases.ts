import type { Phase } from "../domain/Phase.ts"
import { marketDate, marketHour, marketInstant, marketMidnight, marketWeekday } from "./MarketTime.ts"
import { type DayKind, dayKind, type SaidDays } from "./TradingDays.ts"

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
export const timetableOf = (date: string, said?: SaidDays): Timetable =>
  timetableOfKind(dayKind(date, marketWeekday(marketMidnight(date)), said), date)

/** The phase that the tables, and what the broker has said, expect at an instant (UTC milliseconds); kis/sessions.md §1. */
export const expectedPhase = (atMs: number, said?: SaidDays): Phase => {
  const date = marketDate(atMs)
  const hour = marketHour(atMs)
  let phase: Phase = "closed"
  for (const [from, next] of timetableOfKind(dayKind(date, marketWeekday(atMs), said), date)) {
    if (hour < from) break
    phase = next
  }
  return phase
}

const day_ms = 86_400_000
/** No closure is so long; a search that finds nothing ends here. */
const days_max = 40

/** The first instant after this one at which another phase is expected, UTC milliseconds; `undefined` when none is in sight. */
export const nextPhaseChange = (atMs: number, said?: SaidDays): number | undefined => {
  let phase = expectedPhase(atMs, said)
  const midnight = marketMidnight(marketDate(atMs))
  for (let day = 0; day < days_max; day++) {
    const date = marketDate(midnight + day * day_ms)
    for (const [from, next] of [["000000", "closed"] as const, ...timetableOf(date, said)]) {
      const changesAtMs = marketInstant(date, from) ?? Number.NaN
      if (changesAtMs <= atMs) continue
      if (next !== phase) return changesAtMs
      phase = next
    }
  }
  return undefined
}

/** A time in which the market was not closed; `toMs` is outside. */
export interface OpenSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** The parts of a time, each within one day, in which the market is expected not to be closed. */
export const openSpans = (fromMs: number, toMs: number, said?: SaidDays): ReadonlyArray<OpenSpan> => {
  const spans: Array<OpenSpan> = []
  let openFromMs: number | undefined
  let atMs = fromMs
  while (atMs < toMs) {
    const isOpen = expectedPhase(atMs, said) !== "closed"
    if (isOpen) openFromMs ??= atMs
    else if (openFromMs !== undefined) {
      spans.push({ fromMs: openFromMs, toMs: atMs })
      openFromMs = undefined
    }
    atMs = nextPhaseChange(atMs, said) ?? toMs
  }
  if (openFromMs !== undefined) spans.push({ fromMs: openFromMs, toMs })
  return spans
}
