import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { parseUniverse, type UniverseEntry, universeUrl } from "../domain/UniverseFile.ts"
import type { MasterBook, MasterIndex, MasterIssue, MasterName, Rebased } from "../kis/MasterFile.ts"
import { turnoverOf } from "./selection.ts"

/** What the day's list says of an issue or index. */
export interface ListedIssue {
  readonly code: string
  readonly isin: string
  readonly name: string
  /** `KOSPI`, `KOSDAQ`, `KONEX`; `KRX` for an index. */
  readonly market: string
  /** `common`, `pref`, `etf`, `etn` …; `index` for an index. */
  readonly kind: string
  /** Letters, see `UniverseEntry`. */
  readonly flags: string
  readonly nxt: boolean
  /** KRW. */
  readonly basePrice: number | undefined
  /** Shares. */
  readonly previousVolume: number
  /** KRW, of the day before. */
  readonly turnover: number
  /** Why the base price is not the close of the day before; absent when it is. */
  readonly rebased?: Rebased
}

/** A master file in use, and the market date (`YYYYMMDD`) whose morning it tells. */
export interface HeldFile {
  readonly date: string
  readonly book: MasterBook
}
export type HeldFiles = ReadonlyMap<MasterName, HeldFile>

/** The lists in the program's own folder, which stand in for what was never had. */
export interface ShippedLists {
  readonly issues: ReadonlyArray<UniverseEntry>
  readonly indices: ReadonlyArray<MasterIndex>
}

/** The morning of which the shipped list of KOSPI and KOSDAQ tells. */
export const shippedDate = "20260722"

/** Everything that is listed, put together from the newest file of each kind. */
export interface MarketList {
  readonly entries: ReadonlyMap<string, ListedIssue>
  readonly files: ReadonlyArray<{ readonly file: MasterName; readonly sha256: string; readonly date: string }>
  /** That of the older of the two large boards, `YYYYMMDD`. */
  readonly date: string
  readonly isShipped: boolean
}

const boards = [
  { market: "KOSPI", file: "kospi_code.mst", nxt: "nxt_kospi_code.mst" },
  { market: "KOSDAQ", file: "kosdaq_code.mst", nxt: "nxt_kosdaq_code.mst" },
  { market: "KONEX", file: "konex_code.mst", nxt: undefined }
] as const

const ofIndex = ({ code, name }: MasterIndex): ListedIssue => ({
  code,
  isin: "",
  name,
  market: "KRX",
  kind: "index",
  flags: "",
  nxt: false,
  basePrice: undefined,
  previousVolume: 0,
  turnover: 0
})

const ofIssue = (issue: MasterIssue, nxt: boolean): ListedIssue => ({
  code: issue.code,
  isin: issue.isin,
  name: issue.name,
  market: issue.market,
  kind: issue.kind,
  flags: issue.flags,
  nxt,
  basePrice: issue.basePrice,
  previousVolume: issue.previousVolume,
  turnover: turnoverOf(issue),
  ...(issue.rebased === undefined ? {} : { rebased: issue.rebased })
})

const codesOf = (issues: ReadonlyArray<UniverseEntry>): ReadonlySet<string> => new Set(issues.map(({ code }) => code))

/** Puts the files together; a board whose file is not held is the shipped one. */
export const marketList = (held: HeldFiles, shipped: ShippedLists): MarketList => {
  const entries = new Map<string, ListedIssue>()
  for (const { file, market, nxt } of boards) {
    const issues: ReadonlyArray<MasterIssue> =
      held.get(file)?.book.issues ?? shipped.issues.filter((issue) => issue.market === market)
    const venue = nxt === undefined ? undefined : held.get(nxt)
    const isOnNxt =
      venue === undefined ? codesOf(shipped.issues.filter((each) => each.nxt)) : codesOf(venue.book.issues)
    for (const issue of issues) {
      if (!entries.has(issue.code)) entries.set(issue.code, ofIssue(issue, isOnNxt.has(issue.code)))
    }
  }
  for (const index of held.get("idxcode.mst")?.book.indices ?? shipped.indices) entries.set(index.code, ofIndex(index))
  const dates = [held.get("kospi_code.mst")?.date, held.get("kosdaq_code.mst")?.date]
  const known = dates.filter((date) => date !== undefined).sort()
  return {
    entries,
    files: [...held].map(([file, { book, date }]) => ({ file, sha256: book.sha256, date })),
    date: known.length === dates.length ? (known[0] ?? shippedDate) : shippedDate,
    isShipped: known.length < dates.length
  }
}

const text = (name: string) => Effect.tryPromise(() => readFile(new URL(name, universeUrl), "utf8"))

/** Reads the shipped lists. They are part of the installation: when they are not there it is broken, and this dies. */
export const shippedLists: Effect.Effect<ShippedLists> = Effect.gen(function* () {
  const issues = [...parseUniverse(yield* text("universe.csv")), ...parseUniverse(yield* text("konex.csv"))]
  const [, ...lines] = (yield* text("indices.csv")).trimEnd().split("\n")
  const indices = lines.map((line) => {
    const comma = line.indexOf(",")
    // A digit for the market stands before the four that calls want.
    return { code: line.slice(1, comma), name: line.slice(comma + 1) }
  })
  return { issues, indices }
}).pipe(Effect.orDie)
