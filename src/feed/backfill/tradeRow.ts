import { marketInstant } from "../../calendar/MarketTime.ts"
import type { Phase } from "../../domain/Phase.ts"
import type { Sighting } from "../../domain/Sighting.ts"
import { fieldOf, type QuotationRow } from "../../kis/QuotationCall.ts"
import { numberOf } from "../KisQuote.ts"

/** A row of a trade list, with what places it in the day. */
export interface ListedTrade {
  /** UTC milliseconds, a whole second. */
  readonly atMs: number
  readonly hour: string
  /** Absent where the list has none. */
  readonly cumVolume: number | undefined
  readonly volume: number | undefined
  /** Equal for two rows that list the same trade. */
  readonly sameness: string
  /** UTC milliseconds of market time, when the reply came. */
  readonly receivedAtMs: number
  readonly row: QuotationRow
}

const textAt = (row: QuotationRow, ...names: ReadonlyArray<string>): string => {
  for (const name of names) {
    const text = fieldOf(row, name).trim()
    if (text) return text
  }
  return ""
}

/** The table of the documents says `stck_pbpr`, every reply `stck_prpr` (fields/rest_inquire_time_itemconclusion.json). */
const priceOf = (row: QuotationRow) => textAt(row, "stck_prpr", "stck_pbpr")
const volumeOf = (row: QuotationRow) => textAt(row, "cnqn", "cntg_vol")

/**
 * Reads a row as one of a market date (`YYYYMMDD`). A row without a time is no trade but a blank of the broker's, and is
 * `undefined`; one whose time cannot be read is `"unreadable"`.
 */
export const listedTrade = (
  row: QuotationRow,
  date: string,
  receivedAtMs: number
): ListedTrade | "unreadable" | undefined => {
  const hour = textAt(row, "stck_cntg_hour")
  if (hour === "") return undefined
  const atMs = marketInstant(date, hour)
  if (atMs === undefined) return "unreadable"
  const cumVolume = textAt(row, "acml_vol")
  const sameness = [hour, priceOf(row), volumeOf(row), cumVolume].join("^")
  return {
    atMs,
    hour,
    cumVolume: finite(numberOf(cumVolume)),
    volume: finite(numberOf(volumeOf(row))),
    sameness,
    receivedAtMs,
    row
  }
}

/** What a listed trade is to a shard. The phase is that of the trade: by the time of the reply it may be another. */
export const backfilledSighting = (symbol: string, trade: ListedTrade, phase: Phase): Sighting => {
  const { atMs: exchangeAtMs, receivedAtMs, row } = trade
  return {
    symbol,
    kind: "trade",
    venue: "KRX",
    receivedAtMs,
    exchangeAtMs,
    phase,
    price: numberOf(priceOf(row)),
    volume: numberOf(volumeOf(row)),
    cumVolume: numberOf(fieldOf(row, "acml_vol")),
    ask: numberOf(fieldOf(row, "askp")),
    bid: numberOf(fieldOf(row, "bidp")),
    flags: ["backfill"],
    payload: row
  }
}

/** What is blank or no number cannot be reckoned with; the guard sees it as it is. */
const finite = (value: number | undefined) => (Number.isFinite(value) ? value : undefined)
