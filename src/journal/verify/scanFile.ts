import { Effect } from "effect"
import { join } from "node:path"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import type { FoundFile } from "./Listing.ts"
import { makeLineCheck } from "./LineCheck.ts"
import type { Run } from "./Runs.ts"
import { type Content, scanContent } from "./scanContent.ts"

/** A record of a file, for whoever counts while the files are verified. */
export type OnRecord = (record: JournalRecord, node: string, file: string) => void

/** What a file of records holds, by its own bytes. */
export interface Facts extends Content {
  readonly lines: number
  readonly runs: ReadonlyArray<Run>
  readonly firstReceivedAt: string | undefined
  readonly lastReceivedAt: string | undefined
  /** The first line that is no record, and how many there are. */
  readonly fault: string | undefined
  readonly faults: number
}

/** Stretches of numbers told apart in one file; a ruined one would have as many as lines. */
const runs_max = 1_000

export const scanFile = Effect.fnUntraced(function* (
  dataDir: string,
  { form, node = "", path }: FoundFile,
  onBytes: (bytes: number) => Effect.Effect<void>,
  onRecord: ((record: JournalRecord, line: number) => void) | undefined
) {
  const check = makeLineCheck(node)
  const runs: Array<{ -readonly [Key in keyof Run]: Run[Key] }> = []
  let lines = 0
  let firstReceivedAt: string | undefined
  let lastReceivedAt: string | undefined
  let fault: string | undefined
  let faults = 0

  const content = yield* scanContent(join(dataDir, path), { isPacked: form === "packed", onBytes }, (line, number) => {
    lines = number
    const record = check(line.toString("utf8"))
    if (typeof record === "string") {
      faults += 1
      fault ??= `line ${number} ${record}`
      return
    }
    const { receivedAt, seq } = record
    firstReceivedAt ??= receivedAt
    lastReceivedAt = receivedAt
    const run = runs.at(-1)
    if (run?.last === seq - 1) run.last = seq
    else if (runs.length < runs_max) runs.push({ node, first: seq, last: seq, file: path })
    onRecord?.(record, number)
  })
  return { ...content, lines, runs, firstReceivedAt, lastReceivedAt, fault, faults } satisfies Facts
})
