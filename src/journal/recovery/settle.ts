import { Effect } from "effect"
import { basename, dirname, join } from "node:path"
import { Disk, makeDurableFolder } from "../Disk.ts"
import { readGzip } from "../GzipFile.ts"
import { enter, type ManifestLine } from "../Manifest.ts"
import { digestOf } from "../SegmentContent.ts"
import { gzipSuffix, nameInDay, type SegmentName, segmentPath } from "../SegmentName.ts"
import { type SegmentScan, scanSegment } from "../SegmentScan.ts"

/** A tail that was not whole lines: moved out of the record, kept for whoever wants to look. */
export interface Quarantined {
  readonly file: string
  readonly bytes: number
  readonly quarantine: string
}

const block_bytes = 1 << 20

const lineOf = (segment: SegmentName, scan: SegmentScan, nowMs: number): ManifestLine => {
  const sealedAt = new Date(nowMs).toISOString()
  return {
    file: nameInDay(segment.file),
    node: segment.node,
    firstSeq: segment.firstSeq,
    lastSeq: segment.firstSeq + scan.lines - 1,
    lines: scan.lines,
    bytes: scan.goodBytes,
    sha256: scan.sha256,
    firstReceivedAt: scan.firstReceivedAt ?? sealedAt,
    lastReceivedAt: scan.lastReceivedAt ?? sealedAt,
    sealedAt
  }
}

export interface Settled {
  readonly line: ManifestLine | undefined
  readonly torn?: Quarantined | undefined
}

const quarantineTail = Effect.fnUntraced(function* (dataDir: string, segment: SegmentName, from: number, to: number) {
  const disk = yield* Disk
  const name = `quarantine/${basename(segment.file)}.${from}.torn`
  const path = segmentPath(dataDir, segment)
  yield* makeDurableFolder(dataDir, "quarantine")
  yield* disk.writeWhole(join(dataDir, name), yield* disk.readAt(path, from, to - from))
  yield* disk.syncFolder(join(dataDir, "quarantine"))
  yield* disk.truncate(path, from)
  return { file: segment.file, bytes: to - from, quarantine: name } satisfies Quarantined
})

/** Brings one file to the state a clean seal leaves: whole lines that survive a power cut, final name, entered in the manifest. */
export const settlePlain = Effect.fnUntraced(function* (dataDir: string, segment: SegmentName, nowMs: number) {
  const disk = yield* Disk
  const path = segmentPath(dataDir, segment)
  const totalBytes = (yield* disk.size(path)) ?? 0
  const scan = yield* scanSegment((at) => disk.readAt(path, at, block_bytes), segment.firstSeq)
  const torn =
    scan.goodBytes < totalBytes ? yield* quarantineTail(dataDir, segment, scan.goodBytes, totalBytes) : undefined
  if (scan.lines === 0) {
    yield* disk.remove(path)
    yield* disk.syncFolder(dirname(path))
    return { line: undefined, torn } satisfies Settled
  }
  if (segment.open) {
    // What a killed process wrote last may be in the system's memory alone.
    yield* Effect.acquireUseRelease(
      disk.openForWriting(path),
      (file) => file.datasync,
      (file) => Effect.ignore(file.close)
    )
    const sealedPath = join(dataDir, segment.file)
    yield* disk.rename(path, sealedPath)
    yield* disk.syncFolder(dirname(sealedPath))
  }
  const line = lineOf(segment, scan, nowMs)
  yield* enter(dataDir, segment.day, line)
  return { line, torn } satisfies Settled
})

/** Enters a compressed file that its day's lists have lost, by as much of its content as can be read. It is left as it is. */
export const settleCompressed = Effect.fnUntraced(function* (dataDir: string, segment: SegmentName, nowMs: number) {
  const disk = yield* Disk
  const path = segmentPath(dataDir, segment)
  const content = (at: number) =>
    readGzip(path, at, block_bytes).pipe(Effect.catchTag("JournalReadError", () => Effect.succeed(new Uint8Array(0))))
  const scan = yield* scanSegment(content, segment.firstSeq)
  if (scan.lines === 0) return { line: undefined } satisfies Settled
  const file = yield* digestOf((at) => disk.readAt(path, at, block_bytes))
  const gzip = { file: nameInDay(segment.file) + gzipSuffix, ...file }
  const line = { ...lineOf(segment, scan, nowMs), gzip }
  yield* enter(dataDir, segment.day, line)
  return { line } satisfies Settled
})
