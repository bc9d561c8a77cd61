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
export const phaseOfMarket: Readonly<Record<string, Phase>> = {
  "1": "preOpen",
  "2": "continuous",
  "3": "afterMarket",
  "5": "afterClose"
}

/** A record of the trade stream. Its time has no date and no zone: the record's own business date and market time make the instant. */
export const tradeSighting = (values: ReadonlyArray<string>, receivedAtMs: number, extraColumns: number): Sighting => {
  const at = (index: number) => values[index] ?? ""
  const hourClass = at(column.hourClass)
  // Auction prints name no side and leave the counters alone (captured opening print of 2026-09-08).
  const auction = at(column.side) === "" || hourClass === "A" || hourClass === "B" || hourClass === "C"
  const vi = hourClass === "C" ? ["vi"] : []
  const flags = [...(auction ? ["auction"] : []), ...vi, ...(extraColumns > 0 ? ["drift"] : [])]
  return {
    symbol: at(column.symbol).trim(),
    kind: "trade",
    venue: "KRX",
    receivedAtMs,
    exchangeAtMs: marketInstant(at(column.date) || marketDate(receivedAtMs), at(column.hour)),
    phase:
      hourClass === "B" ? "openingAuction" : hourClass === "A" ? "closingAuction" : phaseOfMarket[at(column.market)],
    price: numberOf(at(column.price)),
    volume: numberOf(at(column.volume)),
    cumVolume: numberOf(at(column.cumVolume)),
    ask: numberOf(at(column.ask)),
    bid: numberOf(at(column.bid)),
    flags,
    sameness: [column.hour, column.price, column.volume, column.cumVolume].map(at).join("^"),
    payload: values
  }
}
