import { marketDate, marketInstant } from "../calendar/MarketTime.ts"
import type { Phase } from "../domain/Phase.ts"
import type { Sighting } from "../domain/Sighting.ts"
import { numberOf } from "./KisQuote.ts"

/** Columns of `H0STCNT0` (`fields/ws_H0STCNT0.json`), from 0. */
const column = {
  symbol: 0,
  hour: 1,
  price: 2,
  ask: 10,
  bid: 11,
  volume: 12,
  cumVolume: 13,
  side: 21,
  date: 33,
  operation: 34,
  hourClass: 43,
  market: 46
} as const

/** `MARKET_CLS_CODE`, since 2026-09-14: 1 pre, 2 regular, 3 after-market, 5 closing price. */
const phaseOfMarket: Readonly<Record<string, Phase>> = {
  "1": "preOpen",
  "2": "continuous",
  "3": "afterMarket",
  "5": "afterClose"
}

const phaseOf = (hourClass: string, market: string): Phase | undefined =>
  hourClass === "B" ? "openingAuction" : hourClass === "A" ? "closingAuction" : phaseOfMarket[market]

const none: ReadonlyArray<string> = []

/** Nearly every trade has nothing to be flagged, and all of those share one empty list. */
const flagsOf = (auction: boolean, vi: boolean, drift: boolean): ReadonlyArray<string> =>
  auction || vi || drift ? [...(auction ? ["auction"] : []), ...(vi ? ["vi"] : []), ...(drift ? ["drift"] : [])] : none

/** A record of the trade stream. Its time has no date and no zone: the record's own business date and market time make the instant. */
export const tradeSighting = (values: ReadonlyArray<string>, receivedAtMs: number, extraColumns: number): Sighting => {
  const hourClass = values[column.hourClass] ?? ""
  const vi = hourClass === "C"
  // Auction prints name no side and leave the counters alone (captured opening print of 2026-09-08).
  const auction = vi || hourClass === "A" || hourClass === "B" || (values[column.side] ?? "") === ""
  return {
    symbol: (values[column.symbol] ?? "").trim(),
    kind: "trade",
    venue: "KRX",
    receivedAtMs,
    exchangeAtMs: marketInstant(values[column.date] || marketDate(receivedAtMs), values[column.hour] ?? ""),
    phase: phaseOf(hourClass, values[column.market] ?? ""),
    price: numberOf(values[column.price]),
    volume: numberOf(values[column.volume]),
    cumVolume: numberOf(values[column.cumVolume]),
    ask: numberOf(values[column.ask]),
    bid: numberOf(values[column.bid]),
    flags: flagsOf(auction, vi, extraColumns > 0),
    payload: values
  }
}
