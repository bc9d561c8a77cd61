import type { AuditReport, SymbolFinding } from "./comparison.ts"
import { isClean, tallyNames } from "./Tally.ts"

/** So many symbols with something wrong are shown; the rest is in the JSON. */
const shown = 30

const width = (name: string) => Math.max(name.length, 9) + 2

const row = (symbol: string, of: string, cells: ReadonlyArray<string>): string =>
  symbol.padEnd(10) + of.padEnd(8) + cells.map((cell, at) => cell.padStart(width(tallyNames[at] ?? ""))).join("")

const cells = (finding: Omit<SymbolFinding, "symbol" | "of">) =>
  tallyNames.map((name) => finding[name].toLocaleString("en-US"))

/** The report as a table: the total, every symbol with something wrong, and a sentence. */
export const renderAudit = (report: AuditReport): ReadonlyArray<string> => {
  const wrong = report.symbols.filter((finding) => !isClean(finding))
  const { invented, duplicates, missing } = report.total
  return [
    `${report.ledgerLines.toLocaleString("en-US")} lines of the ledger, ${report.journalRecords.toLocaleString("en-US")} records of the journal` +
      (report.encrypted > 0 ? `, ${report.encrypted} encrypted records left out` : ""),
    row("symbol", "of", tallyNames),
    ...wrong.slice(0, shown).map((finding) => row(finding.symbol, finding.of, cells(finding))),
    ...(wrong.length > shown
      ? [`… and ${wrong.length - shown} more symbols with something wrong (--json has them all)`]
      : []),
    row(`all ${new Set(report.symbols.map(({ symbol }) => symbol)).size}`, "", cells(report.total)),
    report.clean
      ? "Nothing is missing without a gap record, nothing is invented, nothing is there twice."
      : `WRONG: ${missing} missing, ${invented} invented, ${duplicates} duplicates, in ${wrong.length} rows of the table.`
  ]
}
