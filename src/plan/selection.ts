import type { SymbolSelection } from "../domain/SymbolSelection.ts"
import type { UniverseEntry } from "../domain/UniverseFile.ts"

/** What a rule must know of an issue. */
type Choosable = Pick<UniverseEntry, "code" | "kind" | "market" | "basePrice" | "previousVolume" | "flags">

export interface Chosen {
  /** The most traded first, or in the order in which they were named. */
  readonly symbols: ReadonlyArray<string>
  /** Indices that ride along unasked. */
  readonly indices: ReadonlyArray<string>
  /** The rule in words, for the record and the log. */
  readonly rule: string
}

export type Resolved = Exclude<SymbolSelection, { readonly _tag: "File" }>

/** KOSPI, KOSDAQ and KOSPI 200: who watches a market wants to see how it stands. They take three places of one call. */
export const ridingIndices: ReadonlyArray<string> = ["0001", "1001", "2001"]

/** KRW that changed hands on the day before, by the base price. */
export const turnoverOf = ({ basePrice, previousVolume }: Pick<Choosable, "basePrice" | "previousVolume">): number =>
  (basePrice ?? 0) * previousVolume

const trades = ({ basePrice, flags, previousVolume }: Choosable): boolean =>
  basePrice !== undefined && previousVolume > 0 && !flags.includes("H")

/** A common share of the two large boards; KONEX is for professionals, and hardly traded. */
const isLargeBoard = ({ kind, market }: Choosable): boolean => kind === "common" && market !== "KONEX"

const mostTraded = (entries: ReadonlyArray<Choosable>): ReadonlyArray<string> =>
  [...entries].sort((a, b) => turnoverOf(b) - turnoverOf(a)).map(({ code }) => code)

const topRule = (asked: number, found: number): string =>
  found < asked
    ? `the ${found} common shares of KOSPI and KOSDAQ that traded on the day before and are not halted; ${asked} were asked for`
    : `the ${asked} common shares with the highest turnover on the day before, without halted ones and KONEX`

/** Applies a selection to what is listed. Pure: the same list gives the same symbols in the same order. */
export const select = (entries: ReadonlyArray<Choosable>, selection: Resolved): Chosen => {
  switch (selection._tag) {
    case "All":
      return {
        symbols: mostTraded(entries.filter(trades)),
        indices: ridingIndices,
        rule: "every issue of KOSPI, KOSDAQ and KONEX that is not halted and traded on the day before"
      }
    case "Top": {
      const trading = entries.filter((entry) => isLargeBoard(entry) && trades(entry))
      const symbols = mostTraded(trading).slice(0, selection.count)
      return { symbols, indices: ridingIndices, rule: topRule(selection.count, symbols.length) }
    }
    case "List":
      return { symbols: [...new Set(selection.codes)], indices: [], rule: "the symbols named in OBSERVER_SYMBOLS" }
  }
}
