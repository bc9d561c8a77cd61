import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { encodeLine, type JournalRecord, makeNumberer, type RecordDraft } from "../../src/domain/JournalRecord.ts"
import { recordKinds } from "../../src/domain/JournalRecord.ts"
import { segmentFile } from "../../src/journal/SegmentName.ts"
import { exportJournal, type ExportOptions } from "../../src/ops/Export.ts"

/** 09:00:00 of the day that is exported. */
export const openMs = marketInstant("20261120", "090000") ?? Number.NaN

export const trade = (n: number, draft: Partial<RecordDraft> = {}): RecordDraft => ({
  kind: "trade",
  symbol: n % 2 === 0 ? "005930" : "000660",
  receivedAtMs: openMs + n,
  source: "kis-ws",
  payload: ["005930", "090000", String(n)],
  ...draft
})

/** The records that drafts become in a journal of one node. */
export const numbered = (node: string, firstSeq: number, drafts: ReadonlyArray<RecordDraft>) => {
  const number = makeNumberer(node)
  return drafts.map((draft, index) => number(draft, firstSeq + index))
}

/** Lays records into the file of the first one's hour; `tail` comes behind the last line. Gives the file's path. */
export const lay = (
  dataDir: string,
  node: string,
  records: ReadonlyArray<JournalRecord>,
  { suffix = "", tail = "", packed = (text: string): Uint8Array => Buffer.from(text) } = {}
): string => {
  const [first] = records
  if (first === undefined) throw new Error("a file of the journal has a record")
  const path = join(dataDir, segmentFile(node, first.seq, Date.parse(first.receivedAt)) + suffix)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, packed(records.map((record) => `${encodeLine(record)}\n`).join("") + tail))
  return path
}

/** Exports one day, all of it and as Parquet unless the options say otherwise. */
export const exported = (dataDir: string, out: string, options: Partial<ExportOptions> = {}) =>
  exportJournal({
    dataDir,
    fromDay: "20261120",
    toDay: "20261120",
    kinds: new Set(recordKinds),
    format: "parquet",
    withBrokerColumns: false,
    target: { _tag: "Folder", path: out },
    overwrite: false,
    onProgress: () => Effect.void,
    ...options
  })
