import { Effect } from "effect"
import { basename, dirname, join } from "node:path"
import { Disk, type DiskError, makeDurableFolder } from "./Disk.ts"
import { origin, type Position } from "./Position.ts"
import { enter, findEntered, type ManifestLine } from "./Manifest.ts"
import { nameInDay, type SegmentName, segmentPath } from "./SegmentName.ts"
import { scanSegment } from "./SegmentScan.ts"
import { segmentsSince } from "./Segments.ts"

/** A tail that was not whole lines: moved out of the record, kept for whoever wants to look. */
export interface Quarantined {
  readonly file: string
  readonly bytes: number
  readonly quarantine: string
}

/** Where the journal goes on. */
export interface Recovered {
  readonly head: Position
  /** UTC, ISO 8601: when the newest record was received; absent in a new journal. */
  readonly lastReceivedAt: string | undefined
  /** The last run did not seal its file: it was killed. */
  readonly unclean: boolean
  readonly quarantined: ReadonlyArray<Quarantined>
}

/** How many days that hold the newest files are looked at; a crash can leave work undone only in the newest ones. */
const daysLookedAt = 3

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

/** Brings one file to the state a clean seal leaves: whole lines, final name, entered in the manifest. */
const settle = Effect.fnUntraced(function* (dataDir: string, segment: SegmentName, nowMs: number) {
  const disk = yield* Disk
  const path = segmentPath(dataDir, segment)
  const scan = yield* scanSegment(path, segment.firstSeq)
  const torn =
    scan.goodBytes < scan.totalBytes
      ? yield* quarantineTail(dataDir, segment, scan.goodBytes, scan.totalBytes)
      : undefined
  if (scan.lines === 0) {
    yield* disk.remove(path)
    return { line: undefined, torn }
  }
  const sealedPath = join(dataDir, segment.file)
  if (segment.open) {
    yield* disk.rename(path, sealedPath)
    yield* disk.syncFolder(dirname(sealedPath))
  }
  const sealedAt = new Date(nowMs).toISOString()
  const line: ManifestLine = {
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
  yield* enter(dataDir, segment.day, line)
  return { line, torn }
})

/**
 * One node's segments in the days of its newest files, by first `seq`. What is newest `seq` says and no date: a rehearsed
 * day, or a clock that was set wrong, has put newer files among older ones.
 */
const newestSegments = Effect.fnUntraced(function* (dataDir: string, node: string) {
  const all = yield* segmentsSince(dataDir, node)
  const days = new Set<string>()
  for (const { day } of all.toReversed()) {
    if (days.size < daysLookedAt) days.add(day)
  }
  return all.filter(({ day }) => days.has(day))
})

/**
 * Finds the head of a node's journal after any end of the last run, and finishes what that run left undone: a file
 * still open is cut to whole lines and sealed, a sealed file missing from the manifest is entered. Of the archive it
 * reads the names, and bytes of the unfinished files only, so its time does not grow with the record; of a
 * finished file it believes the manifest, so that a damaged one can never give a `seq` out a second time.
 */
export const recover = Effect.fnUntraced(function* (
  dataDir: string,
  node: string,
  nowMs: number
): Effect.fn.Return<Recovered, DiskError, Disk> {
  const quarantined: Array<Quarantined> = []
  let unclean = false
  let newest: { readonly file: string; readonly line: ManifestLine } | undefined
  for (const segment of yield* newestSegments(dataDir, node)) {
    unclean ||= segment.open
    const entered = segment.open ? undefined : yield* findEntered(dataDir, segment.day, nameInDay(segment.file))
    const { line, torn } = entered ? { line: entered, torn: undefined } : yield* settle(dataDir, segment, nowMs)
    if (torn) quarantined.push(torn)
    if (line) newest = { file: segment.file, line }
  }
  return {
    head: newest ? { seq: newest.line.lastSeq, file: newest.file, byteOffset: newest.line.bytes } : origin,
    lastReceivedAt: newest?.line.lastReceivedAt,
    unclean,
    quarantined
  }
})
