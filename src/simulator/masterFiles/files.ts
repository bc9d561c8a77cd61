import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { type Column, kosdaqLayout, konexLayout, kospiLayout } from "./layouts.ts"
import { fixedWidthLines } from "./lines.ts"
import { type MasterOf, masterRow } from "./masterRow.ts"

interface BoardFile {
  readonly board: string
  readonly venue: MasterOf["venue"]
  readonly layout: ReadonlyArray<Column>
}

/** The files of issues, by the name of the file inside the zip. */
export const boardFiles: Readonly<Record<string, BoardFile>> = {
  "kospi_code.mst": { board: "KOSPI", venue: "KRX", layout: kospiLayout },
  "kosdaq_code.mst": { board: "KOSDAQ", venue: "KRX", layout: kosdaqLayout },
  "konex_code.mst": { board: "KONEX", venue: "KRX", layout: konexLayout },
  "nxt_kospi_code.mst": { board: "KOSPI", venue: "NXT", layout: kospiLayout },
  "nxt_kosdaq_code.mst": { board: "KOSDAQ", venue: "NXT", layout: kosdaqLayout }
}

export const indexFile = "idxcode.mst"

const worth = (issue: Issue) => issue.basePrice * issue.entry.listedShares

/** The issues of a board in the order of the universe, which is that of the captured files, as today's market has them. */
export const boardBytes = (market: MarketView, { board, layout, venue }: BoardFile): Uint8Array => {
  const listed = market.issues.filter(({ entry }) => entry.market === board)
  const ranked = listed.filter(({ entry }) => entry.kind === "common").sort((a, b) => worth(b) - worth(a))
  const ranks = new Map(ranked.map((issue, rank) => [issue, rank]))
  const file: MasterOf = { venue, date: market.date(), rankOf: (issue) => ranks.get(issue) }
  const rows = listed
    .filter((issue) => venue === "KRX" || issue.nxt !== undefined)
    .map((issue) => masterRow(issue, file))
  return fixedWidthLines(layout, rows)
}

const indexLayout: ReadonlyArray<Column> = [
  { name: "code", width: 5 },
  { name: "name", width: 40 }
]

/** `data/indices.csv`: a market digit and the four digits of the code, then the name. */
export const indexBytes = (csv: string): Uint8Array => {
  const [, ...lines] = csv.trimEnd().split("\n")
  const rows = lines.map((line) => {
    const comma = line.indexOf(",")
    return { code: line.slice(0, comma), name: line.slice(comma + 1) }
  })
  return fixedWidthLines(indexLayout, rows)
}
