import { byteWords, speedWords } from "../amountWords.ts"
import { count, plural } from "../countWords.ts"
import type { DrillReport } from "./drill.ts"
import type { RestoreReport } from "./restore.ts"
import { backupKinds, type BackupReport, totalOf } from "./BackupReport.ts"
import type { TargetVerification } from "./verifyTarget.ts"

/** So many files are named; the rest is counted. */
const shown = 50

const seconds = (elapsed_ms: number): string => `${(elapsed_ms / 1_000).toFixed(1)} s`

/** Rows of words as lines of equal columns, numbers to the right. */
const tableOf = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  )
}

const named = <A>(list: ReadonlyArray<A>, say: (each: A) => string): ReadonlyArray<string> => [
  ...list.slice(0, shown).map(say),
  ...(list.length > shown ? [`… and ${count(list.length - shown)} more`] : [])
]

const market_ms = 9 * 3_600_000
const minute_ms = 60_000
/** Market time, in full minutes and not before. */
const timeOf = (atMs: number) =>
  new Date(Math.ceil(atMs / minute_ms) * minute_ms + market_ms).toISOString().slice(11, 16)

/** What a backup did, or would do: a line a kind of file, and what went wrong. */
export const backupLines = (report: BackupReport, isDry: boolean): ReadonlyArray<string> => {
  const total = totalOf(report)
  const { waitsUntilMs } = report
  const line = (name: string, each: typeof total) => [
    name,
    ...[each.files, each.present, each.sent, each.waiting, each.failed].map(count),
    byteWords(each.bytes)
  ]
  const kinds = backupKinds.filter((kind) => report.kinds[kind].files + report.kinds[kind].failed > 0)
  const table = tableOf([
    ["", "files", "there", isDry ? "to send" : "sent", "wait", "failed", isDry ? "to send" : "sent"],
    ...kinds.map((kind) => line(kind, report.kinds[kind])),
    line("all", total)
  ])
  const waiting =
    total.waiting === 0
      ? []
      : [
          `NOT THERE YET: ${plural(total.waiting, "file")} wait for the running observer to compress them, or are lists of these; ${
            waitsUntilMs === undefined ? "a later run" : `a run from ${timeOf(waitsUntilMs)} in Seoul on`
          } sends them`
        ]
  const end = isDry
    ? `to ${report.target}: nothing was sent, as asked (--dry-run)`
    : `to ${report.target}: ${plural(total.sent, "file")} sent and verified, ${byteWords(total.bytes)} in ${seconds(report.elapsed_ms)}, ${speedWords(total.bytes, report.elapsed_ms)}`
  const { nowhere, onlyThere } = report.retired
  const retired = [
    ...(onlyThere === 0 ? [] : [`${plural(onlyThere, "file")} of retired days: only there, deleted here`]),
    ...(nowhere === 0 ? [] : [`${plural(nowhere, "file")} of retired days: deleted here, and not known to be there`])
  ]
  return [
    ...table,
    ...waiting,
    ...retired,
    ...named(report.failed, ({ file, reason }) => `FAILED ${file}: ${reason}`),
    end
  ]
}

/** What a look at the target has found. */
export const verificationLines = (target: string, found: TargetVerification): ReadonlyArray<string> => {
  const { bytes, elapsed_ms, files, wrong } = found
  if (files === 0) return [`${target}: nothing was backed up there for these days`]
  const what = `${target}: ${plural(files, "file")}, ${byteWords(bytes)} in ${seconds(elapsed_ms)}, ${speedWords(bytes, elapsed_ms)}`
  return [
    ...named(wrong, ({ file, found: is }) => `${is.toUpperCase()} ${file}`),
    wrong.length === 0
      ? `${what}: every hash is right`
      : `${what}: WRONG in ${plural(wrong.length, "file")}; observer backup sends them again`
  ]
}

export const restoreLines = (report: RestoreReport, into: string): ReadonlyArray<string> => {
  const { bytes, days, elapsed_ms, files, present, wrong } = report
  const what = `${plural(days.length, "day")}, ${plural(files, "file")}, ${byteWords(bytes)} in ${seconds(elapsed_ms)}`
  return [
    ...named(wrong, ({ file, reason }) => `MISSING ${file}: ${reason}`),
    `${into}: ${what}${present === 0 ? "" : `, ${count(present)} of them were there`}: ${
      wrong.length === 0
        ? "every hash is right"
        : `NOT WHOLE, ${plural(wrong.length, "thing")} missing or damaged at the target`
    }`
  ]
}

/** Hour by hour, manifest against what was read against what the database has, and what is wrong. */
export const drillLines = (report: DrillReport): ReadonlyArray<string> => {
  const { bytes, day, files, hours, live, lines, notBackedUp, ok, rows, target, wrong } = report
  const table = tableOf([
    ["hour", "manifest", "live", "read", "to store", "rows", "refused"],
    ...hours.map((each) => [
      each.hour,
      count(each.manifestLines),
      each.liveLines === undefined ? "-" : count(each.liveLines),
      count(each.readLines),
      count(each.toStore),
      count(each.rows),
      count(each.refused)
    ])
  ])
  const waits = notBackedUp === 0 ? [] : [`${plural(notBackedUp, "file")} of this day wait for their first backup`]
  return [
    ...table,
    ...(live === "compared" ? [] : [live]),
    ...waits,
    ...named(wrong, ({ detail, what }) => `WRONG ${what}: ${detail}`),
    `${day} from ${target}: ${plural(files, "file")}, ${byteWords(bytes)}, ${plural(lines, "line")}, ${plural(rows, "row")} in ${report.seconds} s: ${
      ok ? "it can be had back" : `it CANNOT be had back as it was: ${plural(wrong.length, "thing")} wrong`
    }`
  ]
}
