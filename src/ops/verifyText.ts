import { hourFolder } from "../calendar/MarketTime.ts"
import type { Problem, VerifyReport } from "../journal/Verify.ts"
import { type HourRows, missingIncidentsOf, missingOf } from "../sql/HourRows.ts"
import { byteWords } from "./amountWords.ts"
import { count, plural } from "./countWords.ts"

/** So many problems are shown; the rest is in the JSON. */
const shown = 50

/** The problems as a table, a line each. */
export const problemTable = (problems: ReadonlyArray<Problem>, found: number): ReadonlyArray<string> => {
  const some = problems.slice(0, shown)
  const width = (of: (problem: Problem) => string, name: string) =>
    Math.max(name.length, ...some.map((problem) => of(problem).length)) + 2
  const widths = [width(({ kind }) => kind, "what"), width(({ file }) => file, "file")] as const
  return [
    `${"what".padEnd(widths[0])}${"file".padEnd(widths[1])}problem → what to do`,
    ...some.map(
      ({ file, kind, problem, remedy }) => `${kind.padEnd(widths[0])}${file.padEnd(widths[1])}${problem} → ${remedy}`
    ),
    ...(found > some.length ? [`… and ${count(found - some.length)} more (--json has the first thousand)`] : [])
  ]
}

/** Lines against rows, a line an hour and node; of hours that are equal only how many. */
export const rowsText = (hours: ReadonlyArray<HourRows>): ReadonlyArray<string> => {
  const other = hours.filter((each) => missingOf(each) !== 0 || missingIncidentsOf(each) !== 0 || each.differing)
  const lines = hours.reduce((sum, each) => sum + each.lines, 0)
  const rows = hours.reduce((sum, each) => sum + each.rows, 0)
  return [
    `SQL: ${plural(lines, "line")}, ${plural(rows, "row")} in ${plural(hours.length, "hour")}, ${count(hours.length - other.length)} of them equal`,
    ...other
      .slice(0, shown)
      .map((each) =>
        [
          `  ${hourFolder(Date.parse(each.hour))}`,
          each.node,
          `${count(each.lines)} lines`,
          `${count(each.rows)} rows`,
          `difference ${count(missingOf(each))}`,
          ...(each.differing ? ["rows of other records"] : []),
          ...(missingIncidentsOf(each) === 0
            ? []
            : [
                `${count(each.incidentLines)} gaps and rejects in lines, ${count(each.incidentRows)} in rows`,
                `difference ${count(missingIncidentsOf(each))}`
              ])
        ].join("  ")
      )
  ]
}

/** What was verified, in one line. */
export const summary = ({ bytes, certified, days, files, lines, problemsFound }: VerifyReport): string => {
  const what = `${plural(days, "day")}, ${plural(files, "file")}, ${byteWords(bytes)}, ${plural(lines, "line")}, ${plural(certified.length, "certificate")}`
  return problemsFound === 0 ? `${what}: nothing is wrong` : `${what}: WRONG in ${count(problemsFound)} places`
}
