import { isIndexCode } from "../domain/SymbolCode.ts"
import type { Sighting } from "../domain/Sighting.ts"
import { fieldOf, type QuotationRow } from "../kis/QuotationCall.ts"

/** Digits up to this many are a number that a double holds exactly. */
const exactDigits_max = 15

/**
 * Blank means unknown; anything else that is no number becomes `NaN`, for the guard to refuse by name. Nearly every value
 * is a few digits and nothing else, and those are read here: five of them stand in every record.
 */
export const numberOf = (text: string | undefined): number | undefined => {
  if (text === undefined || text === "") return undefined
  if (text.length > exactDigits_max) return anyNumberOf(text)
  let number = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return anyNumberOf(text)
    number = number * 10 + digit
  }
  return number
}

/** As above, of a number with a sign or a fraction, with blanks around it, or of none. */
const anyNumberOf = (text: string): number | undefined => {
  const trimmed = text.trim()
  if (trimmed === "") return undefined
  const number = /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN
  // Of hundreds of digits.
  return Number.isFinite(number) ? number : Number.NaN
}

const numberAt = (row: QuotationRow, name: string) => numberOf(fieldOf(row, name))

/** The fields by which two rows of a reply are compared: all of them, for neither reply carries a time. */
const samenessOf = (row: QuotationRow): string => Object.values(row).join("^")

/** A price outside the day's limits is kept and flagged: the broker's limits may be the ones that are wrong. */
const limitFlags = (price?: number, lowest?: number, highest?: number): ReadonlyArray<string> =>
  price !== undefined && ((lowest && price < lowest) || (highest && price > highest)) ? ["outlier"] : []

/** A row of `intstock-multprice` (`fields/rest_intstock_multprice.json`). It has no trade time. */
export const multiPriceSighting = (row: QuotationRow, receivedAtMs: number): Sighting => {
  const symbol = fieldOf(row, "inter_shrn_iscd").trim()
  const price = numberAt(row, "inter2_prpr")
  return {
    symbol,
    kind: isIndexCode(symbol) ? "index" : "quote",
    venue: "KRX",
    receivedAtMs,
    // `B` before the open, `A` before the close, `C` in a volatility interruption: the values are an auction's.
    phase:
      row["hour_cls_code"] === "B" ? "openingAuction" : row["hour_cls_code"] === "A" ? "closingAuction" : undefined,
    price,
    cumVolume: numberAt(row, "acml_vol"),
    ask: numberAt(row, "inter2_askp"),
    bid: numberAt(row, "inter2_bidp"),
    flags: limitFlags(price, numberAt(row, "inter2_llam"), numberAt(row, "inter2_mxpr")),
    sameness: samenessOf(row),
    payload: row
  }
}

/** A row of `inquire-price` (`fields/rest_inquire_price.json`), which names the symbol it was asked for, or nothing. */
export const priceSighting = (symbol: string, row: QuotationRow, receivedAtMs: number): Sighting => {
  const price = numberAt(row, "stck_prpr")
  return {
    symbol,
    kind: "quote",
    venue: "KRX",
    receivedAtMs,
    price,
    cumVolume: numberAt(row, "acml_vol"),
    flags: limitFlags(price, numberAt(row, "stck_llam"), numberAt(row, "stck_mxpr")),
    sameness: samenessOf(row),
    payload: row
  }
}
