import type { ListedIssue } from "./MarketList.ts"

/** From which list the symbols were chosen: of this trading day, of one before, or the one that ships with the program. */
export interface UniverseSource {
  readonly list: "today" | "yesterday" | "shipped"
  /** Market date of the list, `YYYYMMDD`. */
  readonly date: string
  /** Why it is not all of today; absent when it is. */
  readonly reason?: string
}

/** What is observed on a day, and why. Never changed: another choice is another universe, with a file of its own. */
export interface Universe {
  /** Market date from which on it holds, `YYYYMMDD`. */
  readonly date: string
  /** The symbols to observe, the most traded first, or as they were named. Indices that were asked for are among them. */
  readonly symbols: ReadonlyArray<string>
  /** Indices observed besides, unasked. */
  readonly indices: ReadonlyArray<string>
  /** What is known of every listed issue and index, chosen or not. */
  readonly entries: ReadonlyMap<string, ListedIssue>
  /** Asked for, but in no list: they are observed all the same, for listings change. */
  readonly unlisted: ReadonlyArray<string>
  /** The rule in words, for the record and the log. */
  readonly rule: string
  readonly source: UniverseSource
  /** Of the dated file, relative to the data folder: `YYYY/MM/DD/universe-<12 digits of its sha256>.json`. */
  readonly file: string
  readonly sha256: string
}

/** Everything to be asked for. */
export const observedOf = ({ indices, symbols }: Pick<Universe, "symbols" | "indices">): ReadonlyArray<string> => [
  ...symbols,
  ...indices
]
