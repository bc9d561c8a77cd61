import { olderText } from "../../sql/KeptFrom.ts"
import type { Certificate, RowsApart } from "./Certificate.ts"
import type { SymbolDay } from "./coverageOf.ts"
import { count } from "../countWords.ts"
import { duration, escaped, hourOf, paragraph, percentOf, section, table } from "./page/html.ts"
import { style } from "./page/style.ts"
import { timeline } from "./page/timeline.ts"
import { verdictWords } from "./verdictWords.ts"

/** Rows of the longest tables; the JSON beside the page has everything. */
const symbols_max = 30
const holes_max = 30

const number = (name: string) => ({ name, isNumber: true })
const recordsText = (records: Readonly<Record<string, number>>) =>
  Object.entries(records)
    .map(([kind, found]) => `${count(found)} ${kind}`)
    .join(", ") || "none"

const phases = ({ coverage }: Certificate) =>
  table(
    [
      { name: "Phase" },
      { name: "Hours", isWhole: true },
      number("Symbols"),
      number("Without a hole"),
      number("Seen"),
      number("Missing"),
      number("Filled afterwards"),
      { name: "Records" }
    ],
    coverage.phases.map((each) => [
      each.phase,
      `${hourOf(each.from).slice(0, 5)}–${hourOf(each.to).slice(0, 5)}`,
      count(each.symbols),
      count(each.whole),
      percentOf(each.actual_seconds, each.expected_seconds),
      duration(each.expected_seconds - each.actual_seconds - each.repaired_seconds),
      duration(each.repaired_seconds),
      recordsText(each.records)
    ])
  )

const totals = ({ phases: all }: SymbolDay) => {
  const sum = (of: (phase: SymbolDay["phases"][number]) => number) => all.reduce((total, phase) => total + of(phase), 0)
  const expected = sum(({ expected_seconds }) => expected_seconds)
  const repaired = sum(({ repaired_seconds }) => repaired_seconds)
  const missing = expected - repaired - sum(({ actual_seconds }) => actual_seconds)
  const records = sum(({ records: own }) => Object.values(own).reduce((total, found) => total + found, 0))
  return { expected, missing, repaired, records }
}

const worst = ({ symbols }: Certificate) => {
  const rows = symbols
    .map((symbol) => ({ symbol, ...totals(symbol) }))
    .filter(({ missing, repaired }) => missing + repaired > 0)
    .sort((a, b) => b.missing - a.missing || b.repaired - a.repaired)
  if (rows.length === 0) return paragraph("No symbol has a hole.")
  return (
    table(
      [
        { name: "Symbol" },
        { name: "Name" },
        number("Seen"),
        number("Missing"),
        number("Filled afterwards"),
        number("Records")
      ],
      rows
        .slice(0, symbols_max)
        .map(({ expected, missing, records, repaired, symbol: { isUnseen, name = "", symbol } }) => [
          symbol,
          isUnseen ? `${name} (nothing at all)` : name,
          percentOf(expected - missing - repaired, expected),
          duration(missing),
          duration(repaired),
          count(records)
        ])
    ) +
    (rows.length > symbols_max ? paragraph(`… and ${count(rows.length - symbols_max)} symbols more, in the JSON.`) : "")
  )
}

const gaps = ({ gaps: { causes, foundTrades, foundVolume, holes, lostTrades, lostVolume } }: Certificate) => {
  if (causes.length === 0) return paragraph("No gap was told of this day.")
  const byCause = table(
    [
      { name: "Cause" },
      number("Gaps"),
      number("Symbols"),
      number("Time"),
      number("Filled whole"),
      number("In part"),
      number("Still missing"),
      number("Lost trades"),
      number("Lost shares")
    ],
    causes.map((each) => [
      each.cause,
      count(each.gaps),
      each.symbols === undefined ? "all" : count(each.symbols),
      duration(each.seconds),
      count(each.repaired),
      count(each.partlyRepaired),
      duration(each.missing.seconds),
      count(each.lostTrades),
      count(each.lostVolume)
    ])
  )
  const lost =
    lostTrades + lostVolume === 0
      ? "No trade is known to be lost."
      : `${count(lostTrades)} trades of ${count(lostVolume)} shares were lost; ${foundVolume === 0 ? "none was" : `${count(foundTrades)} of ${count(foundVolume)} shares were`} found afterwards.`
  const longest = table(
    [{ name: "From" }, { name: "To" }, number("Length"), { name: "Cause" }, { name: "Symbol" }],
    holes
      .slice(0, holes_max)
      .map(({ cause, from, seconds, symbol = "all", to }) => [
        hourOf(from),
        hourOf(to),
        duration(seconds),
        cause,
        symbol
      ])
  )
  return byCause + paragraph(lost) + (holes.length === 0 ? "" : `<h3>The longest that were not filled</h3>${longest}`)
}

const rejects = ({ rejects: all }: Certificate) => {
  const rows = Object.entries(all)
  return rows.length === 0
    ? paragraph("Nothing was refused.")
    : table(
        [{ name: "Reason" }, number("Records kept out of the data, and kept as they were")],
        rows.map(([reason, found]) => [reason, count(found)])
      )
}

const conservation = ({ conservation: balance }: Certificate) =>
  balance.recorded
    ? table(
        ["Source", "Received", "Stored", "Rejected", "Deduplicated", "In flight", "Cut off", "Unaccounted for"].map(
          (name, at) => (at === 0 ? { name } : number(name))
        ),
        Object.entries(balance.sources).map(([source, day]) => [
          source,
          ...[day.received, day.stored, day.rejected, day.deduplicated, day.inFlight, day.untold, day.remainder].map(
            count
          )
        ])
      ) +
      paragraph(
        `Over ${count(balance.minutes)} minutes. "Cut off" was on its way at the last minute marker of a run that was killed: whether it was stored after that, nobody counted. The downtime begins a second before the newest record of that run; what had waited for longer is in no gap.`
      )
    : paragraph("Not recorded.")

const apart = ({ incidents, rows }: RowsApart) => `${count(rows)} rows and ${count(incidents)} gaps and rejects`
const isNone = ({ incidents, rows }: RowsApart) => incidents + rows === 0

const sql = ({ sql: rows }: Certificate) =>
  rows.compared
    ? paragraph(
        `${count(rows.lines)} lines and ${count(rows.rows)} rows` +
          (rows.refused > 0 ? `, ${count(rows.refused)} refused by the server and kept in ingest_errors` : "") +
          `; ${count(rows.incidentLines)} gaps and rejects, and ${count(rows.incidentRows)} rows of them` +
          (rows.waiting > 0 ? `; ${count(rows.waiting)} lines waited to be stored` : "") +
          (isNone(rows.missing) && isNone(rows.surplus) && rows.differing_hours === 0
            ? ": equal."
            : `: ${apart(rows.missing)} missing, ${apart(rows.surplus)} more than lines, rows of other records in ${count(rows.differing_hours)} hours.`)
      ) + (rows.keptFrom === undefined ? "" : paragraph(`Not compared: ${olderText(rows.older, rows.keptFrom)}.`))
    : paragraph(`Not compared: ${rows.why}.`)

const staleness = ({ staleness: told }: Certificate) => {
  if (!told.recorded) return paragraph("Not recorded: the day's end was not told.")
  const classes = Array.isArray(told["classes"]) ? told["classes"] : []
  const late = Array.isArray(told["late"]) ? told["late"] : []
  const text = (row: object, key: string) => String(Object.entries(row).find(([name]) => name === key)?.[1] ?? "–")
  const rows = (list: ReadonlyArray<unknown>, keys: ReadonlyArray<string>) =>
    list.flatMap((row) => (typeof row === "object" && row !== null ? [keys.map((key) => text(row, key))] : []))
  const columns = (keys: ReadonlyArray<string>) =>
    keys.map((name) => ({
      name: name.replace("_seconds", " (s)"),
      isNumber: /seconds|symbols|outside|times/.test(name)
    }))
  const ofClasses = ["class", "symbols", "target_seconds", "expected_seconds", "outside"]
  const ofLate = ["symbol", "target_seconds", "times", "worst_seconds", "reason"]
  return (
    paragraph(
      `Late at times: ${String(told["lateSymbols"] ?? 0)} symbols. Outside their target at the end: ${String(told["outsideSymbols"] ?? 0)}.`
    ) +
    (classes.length === 0 ? "" : table(columns(ofClasses), rows(classes, ofClasses))) +
    (late.length === 0 ? "" : `<h3>The latest</h3>${table(columns(ofLate), rows(late, ofLate))}`)
  )
}

const files = ({ files: all, manifest }: Certificate) =>
  `<div class="files">${table(
    [
      { name: "File" },
      number("First seq"),
      number("Last seq"),
      number("Lines"),
      number("Bytes"),
      { name: "SHA-256 of the content" }
    ],
    all.map((line) => [
      line.file,
      count(line.firstSeq),
      count(line.lastSeq),
      count(line.lines),
      count(line.bytes),
      line.sha256
    ])
  )}</div><p class="note">These ${count(manifest.files)} lines of the manifest, through seq ${count(manifest.throughSeq)}, have the SHA-256 <code>${manifest.sha256}</code>. <code>observer verify</code> holds them against the files; <code>sha256sum -c CERTIFICATE.sha256</code> checks this page and the JSON beside it.</p>`

const problems = ({ problems: all }: Certificate) =>
  all.length === 0
    ? ""
    : section(
        "What is wrong with the files",
        table(
          [{ name: "File" }, { name: "Problem" }, { name: "What to do" }],
          all.map(({ file, problem, remedy }) => [file, problem, remedy])
        )
      )

/** A certificate as a page for people: self-contained, without a script, to be read and to be printed. */
export const renderPage = (certificate: Certificate): string => {
  const { coverage, day, madeAt, nodes, observer, reasons, record, universe, verdict } = certificate
  const share = percentOf(coverage.actual_seconds + coverage.repaired_seconds, coverage.expected_seconds)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${day}: ${verdictWords[verdict]}`)}</title><style>${style}:root { --verdict: var(--${verdict}); }</style></head><body>
<header><p>The record of ${escaped(day)}</p><h1>${escaped(verdictWords[verdict])}</h1>
<p>${escaped(`${share} of what was to be seen of ${count(universe.symbols)} symbols; ${count(record.records)} records`)}</p></header>
<ul>${reasons.map((reason) => `<li>${escaped(reason)}</li>`).join("\n")}</ul>
${timeline(certificate)}
${problems(certificate)}
${section("Phases", phases(certificate))}
${section("Symbols that miss most", worst(certificate))}
${section("Gaps", gaps(certificate))}
${section("Refused", rejects(certificate))}
${section("Received = stored + rejected + deduplicated", conservation(certificate))}
${section("Staleness against targets", staleness(certificate))}
${section("Database", sql(certificate))}
${section("Files", files(certificate))}
<p class="note">${escaped(`Made ${madeAt} by observer ${observer} from the files of ${nodes.join(", ") || "no node"}.`)}</p>
</body></html>
`
}
