import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { gunzipSync } from "node:zlib"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import {
  decodeLine,
  encodeLine,
  type JournalRecord,
  makeNumberer,
  type RecordDraft
} from "../../src/domain/JournalRecord.ts"
import { Disk, type DiskFile } from "../../src/journal/Disk.ts"
import { Journal, type JournalChunk, type Position } from "../../src/journal/Journal.ts"
import { ManifestLine } from "../../src/journal/Manifest.ts"
import type { JournalOptions } from "../../src/journal/JournalWriter.ts"

export const node = "seoul-1"
/** 09:00:00 of a trading day. */
export const openMs = marketInstant("20261124", "090000") ?? Number.NaN
const number = makeNumberer(node)

export const tempFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-journal-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }))
)

/** The machine's own disk; what a journal that was not closed leaves open, it closes at the end. */
export const machineDisk = Layer.effect(
  Disk,
  Effect.gen(function* () {
    const disk = Context.get(yield* Layer.build(Disk.layer), Disk)
    const open = new Set<DiskFile>()
    yield* Effect.addFinalizer(() => Effect.forEach(open, (file) => Effect.ignore(file.close), { discard: true }))
    const openForWriting = (path: string) =>
      Effect.tap(disk.openForWriting(path), (file) => Effect.sync(() => open.add(file)))
    return { ...disk, openForWriting }
  })
)

/** The nth thing seen; `n` stands in its payload, so that what was stored can be told from what was not. */
export const seen = (n: number, filler = ""): RecordDraft => ({
  kind: "trade",
  symbol: "005930",
  receivedAtMs: openMs + n,
  source: "kis-ws",
  price: 70_000 + n,
  payload: ["005930", String(n), filler]
})

/** `count` of them, from `first` on. */
export const chunk = (first: number, count: number, filler?: string): ReadonlyArray<RecordDraft> =>
  Array.from({ length: count }, (_, index) => seen(first + index, filler))

/** Runs everything that can run without time passing. */
export const settled = Effect.yieldNow.pipe(Effect.repeat({ times: 50 }))

/** Which of the things seen a record is; `undefined` for a gap or a marker. */
export const numberOf = ({ kind, payload }: JournalRecord): number | undefined =>
  kind === "trade" && Array.isArray(payload) ? Number(payload[1]) : undefined

export const line = (draft: RecordDraft, seq: number): string => encodeLine(number(draft, seq))

/** Opens a journal and runs its writer until the scope closes, which is a kill unless the journal was closed before. */
export const openJournal = Effect.fnUntraced(function* (dataDir: string, options: Partial<JournalOptions> = {}) {
  const layer = Layer.fresh(Journal.layer({ dataDir, node, segment_bytes: 1 << 20, fsync_ms: 200, ...options }))
  const journal = Context.get(yield* Layer.build(layer), Journal)
  yield* Effect.forkScoped(journal.run)
  return journal
})

export type JournalShape = Journal["Service"]

/** Every chunk there is after a place, without waiting for more. */
export const chunksAfter = Effect.fnUntraced(function* (journal: JournalShape, from: Position) {
  const chunks: Array<JournalChunk> = []
  let at = from
  while (true) {
    const next: JournalChunk | undefined = yield* journal.next(at)
    if (next === undefined) return chunks
    chunks.push(next)
    at = next.end
  }
})

export const recordsAfter = (journal: JournalShape, from: Position) =>
  Effect.map(chunksAfter(journal, from), (chunks) => chunks.flatMap(({ records }) => records))

/** Every file of the record below a folder by its path below it, as a real disk holds it: not the lock, not the hint. */
export const filesBelow = (folder: string): Map<string, Buffer> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path)])
  )

const decodeLineOfManifest = Schema.decodeUnknownSync(Schema.fromJsonString(ManifestLine))
const decodeManifest = (text: string) => decodeLineOfManifest(text)
const linesOf = (bytes: Buffer | undefined): ReadonlyArray<string> => {
  const text = bytes?.toString("utf8") ?? ""
  assert.isTrue(text === "" || text.endsWith("\n"), `the last line is whole: ${JSON.stringify(text.slice(-80))}`)
  return text.split("\n").slice(0, -1)
}

const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** Checks one sealed file, plain or compressed, against its day's manifest and checksums, and gives its records. */
const checkSealed = (files: Map<string, Buffer>, path: string, firstSeq: number): ReadonlyArray<JournalRecord> => {
  const onDisk = files.get(path) ?? Buffer.alloc(0)
  const isCompressed = path.endsWith(".gz")
  const bytes = isCompressed ? gunzipSync(onDisk) : onDisk
  const records = linesOf(bytes).map((text) => Result.getOrThrow(decodeLine(text)))
  records.forEach(({ seq }, index) => assert.strictEqual(seq, firstSeq + index, `seq in ${path}`))
  const day = path.slice(0, "YYYY/MM/DD".length)
  const nameOnDisk = path.slice("YYYY/MM/DD/".length)
  const name = nameOnDisk.replace(/\.gz$/, "")
  const entries = linesOf(files.get(`${day}/MANIFEST.jsonl`))
    .map(decodeManifest)
    .filter((entry) => entry.file === name)
  const sha256 = sha256Of(bytes)
  const [entry] = entries
  assert.strictEqual(entries.length, 1, `${path} stands once in the manifest`)
  assert.isFalse(Number.isNaN(Date.parse(entry?.sealedAt ?? "")))
  assert.deepStrictEqual(entry, {
    file: name,
    node,
    firstSeq,
    lastSeq: firstSeq + records.length - 1,
    lines: records.length,
    bytes: bytes.length,
    sha256,
    firstReceivedAt: records[0]?.receivedAt ?? "",
    lastReceivedAt: records.at(-1)?.receivedAt ?? "",
    sealedAt: entry?.sealedAt ?? "",
    ...(isCompressed ? { gzip: { file: nameOnDisk, bytes: onDisk.length, sha256: sha256Of(onDisk) } } : {})
  })
  const sums = linesOf(files.get(`${day}/SHA256SUMS`)).filter((sum) => sum.includes(`  ${name}`))
  assert.deepStrictEqual(sums, [`${sha256Of(onDisk)}  ${nameOnDisk}`])
  return records
}

/** Checks that a closed archive is whole: contiguous `seq`, every file sealed, entered and unspoilt. Gives its records. */
export const checkArchive = (files: Map<string, Buffer>): ReadonlyArray<JournalRecord> => {
  const paths = [...files.keys()].filter((path) => /^\d{4}\//.test(path))
  const segments = paths.filter((path) => path.includes(".jsonl") && !path.endsWith("MANIFEST.jsonl"))
  const seqOf = (path: string) => Number(/-(\d{12})\.jsonl(?:\.gz)?$/.exec(path)?.[1])
  const records: Array<JournalRecord> = []
  for (const path of segments.sort((a, b) => seqOf(a) - seqOf(b))) {
    assert.match(path, /^\d{4}\/\d{2}\/\d{2}\/\d{2}\/seoul-1-\d{12}\.jsonl(\.gz)?$/)
    assert.strictEqual(seqOf(path), records.length + 1, path)
    records.push(...checkSealed(files, path, records.length + 1))
  }
  const entered = paths
    .filter((path) => path.endsWith("MANIFEST.jsonl"))
    .flatMap((path) => linesOf(files.get(path)).map((text) => `${path.slice(0, 11)}${decodeManifest(text).file}`))
  assert.deepStrictEqual(entered.sort(), segments.map((path) => path.replace(/\.gz$/, "")).sort())
  return records
}
