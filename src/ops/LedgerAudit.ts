import { Data, Effect, Stream } from "effect"
import { join } from "node:path"
import { Disk, type DiskError } from "../journal/Disk.ts"
import type { JournalReadError } from "../journal/JournalError.ts"
import { readArchive } from "../journal/Reader.ts"
import { type AuditReport, type ComparisonOptions, makeComparison } from "./ledgerAudit/comparison.ts"
import { parseLedgerLine } from "./ledgerAudit/LedgerLine.ts"

export type { AuditReport } from "./ledgerAudit/comparison.ts"

/** A ledger that cannot be read, or that is none. */
export class LedgerUnreadable extends Data.TaggedError("LedgerUnreadable")<{
  readonly file: string
  readonly detail: string
}> {
  override get message() {
    return `the ledger ${this.file} cannot be audited: ${this.detail}`
  }
}

export interface LedgerAuditOptions extends ComparisonOptions {
  /** The folder given to the simulator as `--ledger`. */
  readonly ledgerDir: string
  readonly dataDir: string
}

const block_bytes = 1 << 20
const fileName = /^ledger-.*\.jsonl$/

const unreadable = (file: string) => (error: DiskError) => new LedgerUnreadable({ file, detail: error.message })

/** Hands every whole line of a file on; a last line without its end, as a killed simulator leaves it, is left out. */
const forEachLine = Effect.fnUntraced(function* (path: string, onLine: (line: string, number: number) => boolean) {
  const disk = yield* Disk
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  for (let at = 0; ; at += block_bytes) {
    const block = yield* Effect.mapError(disk.readAt(path, at, block_bytes), unreadable(path))
    if (block.length === 0) return
    const bytes = Buffer.concat([rest, block])
    let start = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      number += 1
      if (!onLine(bytes.toString("utf8", start, end), number)) {
        return yield* new LedgerUnreadable({ file: path, detail: `line ${number} is not one of a ledger` })
      }
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (block.length < block_bytes) return
  }
})

/**
 * Compares everything a simulator put on the wire with a journal: what was delivered, kept, refused, covered by a gap,
 * missing, invented. Both are read as they lie; run it when the observer has ended.
 */
export const auditLedger = Effect.fn("LedgerAudit.audit")(function* (
  options: LedgerAuditOptions
): Effect.fn.Return<AuditReport, LedgerUnreadable | JournalReadError, Disk> {
  const { dataDir, ledgerDir } = options
  const disk = yield* Disk
  const comparison = makeComparison(options)
  const names = yield* Effect.mapError(disk.list(ledgerDir), unreadable(ledgerDir))
  const files = names.filter((name) => fileName.test(name))
  if (files.length === 0) {
    return yield* new LedgerUnreadable({ file: ledgerDir, detail: "there is no ledger-*.jsonl in this folder" })
  }
  for (const file of files) {
    yield* forEachLine(join(ledgerDir, file), (text) => {
      const line = parseLedgerLine(text)
      if (line !== undefined) comparison.sent(line)
      return line !== undefined
    })
  }
  yield* readArchive({ dataDir }).pipe(
    Stream.runForEach(({ records }) => Effect.sync(() => records.forEach((record) => comparison.journalled(record))))
  )
  return comparison.report()
})
