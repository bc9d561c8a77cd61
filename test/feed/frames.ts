import { capturedFrame } from "../support/samples.ts"

/** A captured record of 47 values, with some of them changed. */
export const tradeValues = (changes: Readonly<Record<number, string>>): ReadonlyArray<string> =>
  (capturedFrame("H0STCNT0-036").split("|")[3] ?? "").split("^").map((value, at) => changes[at] ?? value)

export const frameOf = (...records: ReadonlyArray<ReadonlyArray<string>>): string =>
  `0|H0STCNT0|${String(records.length).padStart(3, "0")}|${records.flat().join("^")}`

/** The nth trade of a symbol: one share each, so that its number is its cumulative volume. */
export const trade = (symbol: string, n: number, changes: Readonly<Record<number, string>> = {}) =>
  tradeValues({ 0: symbol, 12: "1", 13: String(n), ...changes })
