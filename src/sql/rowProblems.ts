import { hourFolder, marketDate } from "../calendar/MarketTime.ts"
import type { Problem } from "../journal/Verify.ts"
import { type HourRows, missingIncidentsOf, missingOf } from "./HourRows.ts"

const replayOf = (atMs: number): string => {
  const day = marketDate(atMs).replace(/(....)(..)(..)/, "$1-$2-$3")
  return `observer replay --from ${day} --to ${day}`
}

/** What rows lack against lines, or have beyond them, a sentence an hour and node. */
export const rowProblems = (hours: ReadonlyArray<HourRows>): ReadonlyArray<Problem> =>
  hours.flatMap((each) => {
    const { differing, hour, incidentLines, incidentRows, lines, node, refused, rows } = each
    const atMs = Date.parse(hour)
    const missing = missingOf(each)
    const incidents = missingIncidentsOf(each)
    if (missing === 0 && incidents === 0 && !differing) return []
    const more = "restore the file that held their lines from a backup, or remove the rows that are nobody's"
    const sides = [
      ...(missing === 0
        ? []
        : [`${lines} lines and ${rows} rows${refused > 0 ? ` (${refused} refused)` : ""}, difference ${missing}`]),
      ...(differing ? [`${lines} lines and as many rows, of which some are of other records`] : []),
      ...(incidents === 0
        ? []
        : [`${incidentLines} gaps and rejects in lines and ${incidentRows} in rows, difference ${incidents}`])
    ]
    const remedy = missing > 0 || incidents > 0 || differing ? replayOf(atMs) : more
    return [{ kind: "rows" as const, file: hourFolder(atMs), problem: `${node} has ${sides.join("; ")}`, remedy }]
  })
