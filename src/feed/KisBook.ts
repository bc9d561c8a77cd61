import { marketDate, marketInstant } from "../calendar/MarketTime.ts"
import type { Phase } from "../domain/Phase.ts"
import type { Sighting } from "../domain/Sighting.ts"
import { numberOf } from "./KisQuote.ts"
import { phaseOfMarket } from "./KisPhase.ts"

/**
 * Columns of `H0STASP0` (`fields/ws_H0STASP0.json`), from 0. The first 59 were always there; the midpoint's three came in
 * 2025, the market in 2026. 47–52 hold an expected match, and outside auctions rubbish.
 */
const column = {
  hour: 1,
  hourClass: 2,
  firstAsk: 3,
  firstBid: 13,
  endOfLadder: 43,
  expectedPrice: 47,
  cumVolume: 53,
  midpointSize: 60,
  market: 62
} as const

/** Narrower records are no book. */
export const bookColumns_min = 59

/** `HOUR_CLS_CODE`: A expected before the close, B expected before the open, C expected in a volatility interruption. */
const phaseOfHourClass: Readonly<Record<string, Phase>> = { A: "closingAuction", B: "openingAuction" }

const half_day_ms = 43_200_000
const day_ms = 86_400_000

/** The book's time has no date: it is the last such time of day that is not half a day ahead of its arrival. */
const instantOf = (hour: string, receivedAtMs: number): number | undefined => {
  const atMs = marketInstant(marketDate(receivedAtMs), hour)
  return atMs !== undefined && atMs - receivedAtMs > half_day_ms ? atMs - day_ms : atMs
}

/** Zero is not a price: a level that is empty, as of a stock at its limit, is absent. What cannot be read is for the guard. */
const priceOf = (text: string): number | undefined => {
  const price = numberOf(text)
  return price === 0 ? undefined : price
}

/** A whole ladder: one value that is no number makes the level beside it doubtful, so none of it is believed. */
const isReadable = (values: ReadonlyArray<string>): boolean => {
  for (let at = column.firstAsk; at < column.endOfLadder; at++) if (Number.isNaN(numberOf(values[at]))) return false
  return true
}

/** A record of the order book: ten levels a side, sent whole each time. It has no price of its own, only the best of each side. */
export const bookSighting = (values: ReadonlyArray<string>, receivedAtMs: number, extraColumns: number): Sighting => {
  const at = (index: number) => values[index] ?? ""
  const hourClass = at(column.hourClass)
  const isExpecting = (numberOf(at(column.expectedPrice)) ?? 0) > 0
  const phase = phaseOfHourClass[hourClass] ?? phaseOfMarket[at(column.market)]
  const flags = [
    ...(isExpecting || /^[ABC]$/.test(hourClass) ? ["auction"] : []),
    ...(hourClass === "C" ? ["vi"] : []),
    ...((numberOf(at(column.midpointSize)) ?? 0) > 0 ? ["midpoint"] : []),
    ...(extraColumns > 0 ? ["drift"] : [])
  ]
  return {
    symbol: at(0).trim(),
    kind: "book",
    venue: "KRX",
    receivedAtMs,
    exchangeAtMs: instantOf(at(column.hour), receivedAtMs),
    phase,
    cumVolume: numberOf(at(column.cumVolume)),
    ask: isReadable(values) ? priceOf(at(column.firstAsk)) : Number.NaN,
    bid: priceOf(at(column.firstBid)),
    flags,
    sameness: values.slice(column.hourClass).join("^"),
    payload: values
  }
}
