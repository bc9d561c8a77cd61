import { isIndexCode } from "../domain/SymbolCode.ts"
import type { Sighting } from "../domain/Sighting.ts"
import type { QuotationRow } from "../kis/Quotations.ts"

/** Blank means unknown; anything else that is no number becomes `NaN`, for the guard to refuse by name. */
export const numberOf = (text: string | undefined): number | undefined => {
  const trimmed = text?.trim()
  if (trimmed === undefined || trimmed === "") return undefined
  return /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN
}

/** The fields by which two rows of a reply are compared: all of them, for neither reply carries a time. */
const samenessOf = (row: QuotationRow): string => Object.values(row).join("^")

/** A price outside the day's limits is kept and flagged: the broker's limits may be the ones that are wrong. */
const limitFlags = (price?: number, lowest?: number, highest?: number): ReadonlyArray<string> =>
  price !== undefined && ((lowest && price < lowest) || (highest && price > highest)) ? ["outlier"] : []

/** A row of `intstock-multprice` (`fields/rest_intstock_multprice.json`). It has no trade time. */
export const multiPriceSighting = (row: QuotationRow, receivedAtMs: number): Sighting => {
  const symbol = (row["inter_shrn_iscd"] ?? "").trim()
  const price = numberOf(row["inter2_prpr"])
  return {
    symbol,
    kind: isIndexCode(symbol) ? "index" : "quote",
    venue: "KRX",
    receivedAtMs,
    // `B` before the open, `A` before the close, `C` in a volatility interruption: the values are an auction's.
    phase:
      row["hour_cls_code"] === "B" ? "openingAuction" : row["hour_cls_code"] === "A" ? "closingAuction" : undefined,
    price,
    cumVolume: numberOf(row["acml_vol"]),
    ask: numberOf(row["inter2_askp"]),
    bid: numberOf(row["inter2_bidp"]),
    flags: limitFlags(price, numberOf(row["inter2_llam"]), numberOf(row["inter2_mxpr"])),
    sameness: samenessOf(row),
    payload: row
  }
}

/** A row of `inquire-price` (`fields/rest_inquire_price.json`), which names the symbol it was asked for, or nothing. */
export const priceSighting = (symbol: string, row: QuotationRow, receivedAtMs: number): Sighting => {
  const price = numberOf(row["stck_prpr"])
  return {
    symbol,
    kind: "quote",
    venue: "KRX",
    receivedAtMs,
    price,
    cumVolume: numberOf(row["acml_vol"]),
    flags: limitFlags(price, numberOf(row["stck_llam"]), numberOf(row["stck_mxpr"])),
    sameness: samenessOf(row),
    payload: row
  }
}
