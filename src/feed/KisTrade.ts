import { marketDate, marketInstant } from "../calendar/MarketTime.ts"
import type { Phase } from "../domain/Phase.ts"
import type { Sighting, TradeTally } from "../domain/Sighting.ts"
import { tradePhase } from "./KisPhase.ts"
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
  sells: 15,
  buys: 16,
  soldVolume: 19,
  boughtVolume: 20,
  side: 21,
  date: 33,
  hourClass: 43,
  reference: 45
} as const

const none: ReadonlyArray<string> = []

/** Nearly every trade has nothing to be flagged, and all of those share one empty list. */
const flagsOf = (auction: boolean, vi: boolean, drift: boolean): ReadonlyArray<string> =>
  auction || vi || drift ? [...(auction ? ["auction"] : []), ...(vi ? ["vi"] : []), ...(drift ? ["drift"] : [])] : none

/**
 * A record of the trade stream. Its time has no date and no zone: the record's own business date and market time make the
 * instant. A class and not a literal, for the same reason for which `Frame` copies its arrays: literals that were seen
 * to live long are made among the old objects, and keep all their values from being let go.
 */
class Trade implements Sighting {
  declare readonly symbol: string
  declare readonly kind: "trade"
  declare readonly venue: "KRX"
  declare readonly receivedAtMs: number
  declare readonly exchangeAtMs: number | undefined
  declare readonly phase: Phase | undefined
  declare readonly price: number | undefined
  declare readonly volume: number | undefined
  declare readonly cumVolume: number | undefined
  declare readonly ask: number | undefined
  declare readonly bid: number | undefined
  declare readonly flags: ReadonlyArray<string>
  declare readonly payload: ReadonlyArray<string>

  constructor(values: ReadonlyArray<string>, receivedAtMs: number, isDrifted: boolean) {
    const hourClass = values[column.hourClass] ?? ""
    const vi = hourClass === "C"
    // Auction prints name no side and leave the counters alone (captured opening print of 2026-09-08).
    const auction = vi || hourClass === "A" || hourClass === "B" || (values[column.side] ?? "") === ""
    this.symbol = (values[column.symbol] ?? "").trim()
    this.kind = "trade"
    this.venue = "KRX"
    this.receivedAtMs = receivedAtMs
    this.exchangeAtMs = marketInstant(values[column.date] || marketDate(receivedAtMs), values[column.hour] ?? "")
    this.phase = tradePhase(values)
    this.price = numberOf(values[column.price])
    this.volume = numberOf(values[column.volume])
    this.cumVolume = numberOf(values[column.cumVolume])
    this.ask = numberOf(values[column.ask])
    this.bid = numberOf(values[column.bid])
    this.flags = flagsOf(auction, vi, isDrifted)
    this.payload = values
  }

  /** Read only where the volume did not rise by the trade's own, which is next to never, and of a symbol's last trade in an append. */
  get tally(): TradeTally | undefined {
    return tallyOf(this.payload)
  }
}

/** `CCLD_DVSN`: 1 buy, 5 sell, blank an auction's print. What 3, "pre-open", counts as is not known. */
const sidedness: Readonly<Record<string, boolean>> = { "1": true, "5": true, "": false }

const tallyOf = (values: ReadonlyArray<string>): TradeTally | undefined => {
  const at = (index: number) => numberOf(values[index]) ?? Number.NaN
  const trades = at(column.sells) + at(column.buys)
  const sidedVolume = at(column.soldVolume) + at(column.boughtVolume)
  if (!Number.isFinite(trades) || !Number.isFinite(sidedVolume)) return undefined
  const reference = at(column.reference)
  return {
    trades,
    sidedVolume,
    isSided: sidedness[(values[column.side] ?? "").trim()],
    reference: reference > 0 ? reference : undefined
  }
}

/** What a record of the trade stream says, of values in wire order; columns that are not known flag it as drift. */
export const tradeSighting = (values: ReadonlyArray<string>, receivedAtMs: number, extraColumns: number): Sighting =>
  new Trade(values, receivedAtMs, extraColumns > 0)
