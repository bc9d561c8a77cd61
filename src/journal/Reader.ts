import { Effect, Stream } from "effect"
import { join } from "node:path"
import { dayFolder } from "../calendar/MarketTime.ts"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { Disk, type DiskError } from "./Disk.ts"
import { gzipContentBytes } from "./GzipFile.ts"
import { JournalReadError } from "./JournalError.ts"
import { type ManifestLine, readManifest } from "./Manifest.ts"
import type { JournalChunk, Position } from "./Position.ts"
import { readContent } from "./SegmentContent.ts"
import { gzipSuffix, nameInDay, openSuffix, parseSegmentName, type SegmentName } from "./SegmentName.ts"
import { listDays, listSegments, segmentsSince } from "./Segments.ts"

const block_bytes = 1 << 18
const newline = 0x0a

const unreadable = (file: string) => (error: DiskError) => new JournalReadError({ file, detail: error.message })

const parseLine = (file: string, text: string, at: number): JournalRecord => {
  const fault = (detail: string) => new JournalReadError({ file, detail: `the line at byte ${at} ${detail}` })
  try {
    const record = JSON.parse(text) as JournalRecord
    if (record.v !== 1 || !Number.isSafeInteger(record.seq)) throw fault("is not a record of version 1")
    return record
  } catch (cause) {
    throw cause instanceof JournalReadError ? cause : fault("is not JSON")
  }
}

/** Reads a line without parsing all of it; `undefined` where it cannot. */
export type QuickReader = (bytes: Buffer, start: number, stop: number) => JournalRecord | undefined

interface ReadOptions {
  /** Where to stop, in the file being written: the head, or what of it is synced. */
  readonly limit?: number | undefined
  /** A line that it does not read is parsed whole, and named if it is none. */
  readonly quick?: QuickReader | undefined
  /** Only lines that hold these bytes are read and given. */
  readonly holding?: Buffer | undefined
}

/**
 * Reads whole lines of one segment from a byte offset on, about a quarter of a megabyte at a time, of a compressed
 * file about a megabyte. Gives `undefined` when there is no whole line behind the offset.
 */
export const readLines = Effect.fnUntraced(function* (
  dataDir: string,
  from: Position,
  { holding, limit, quick }: ReadOptions = {}
): Effect.fn.Return<JournalChunk | undefined, JournalReadError, Disk> {
  const { file } = from
  let length = block_bytes
  while (true) {
    const wanted = limit === undefined ? length : Math.min(length, limit - from.byteOffset)
    if (wanted <= 0) return undefined
    const bytes = yield* readContent(dataDir, file, from.byteOffset, wanted).pipe(
      Effect.mapError((error) => (error._tag === "DiskError" ? unreadable(file)(error) : error))
    )
    // A compressed file gives more than was asked for: whole members.
    const length_max = limit === undefined ? bytes.byteLength : Math.min(bytes.byteLength, limit - from.byteOffset)
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, length_max)
    const end = buffer.lastIndexOf(newline)
    if (end === -1) {
      // A line longer than the block: read a longer one, unless the file ends here.
      if (buffer.length < wanted || wanted < length) return undefined
      length *= 2
      continue
    }
    return yield* Effect.try({
      try: () => {
        const records: Array<JournalRecord> = []
        let start = 0
        let stop = lineEnd(buffer, 0, holding)
        while (stop !== -1 && stop <= end) {
          if (holding !== undefined) start = buffer.lastIndexOf(newline, stop - 1) + 1
          records.push(
            quick?.(buffer, start, stop) ??
              parseLine(file, buffer.toString("utf8", start, stop), from.byteOffset + start)
          )
          start = stop + 1
          stop = lineEnd(buffer, start, holding)
        }
        const seq = records.at(-1)?.seq ?? from.seq
        return { records, end: { seq, file, byteOffset: from.byteOffset + end + 1 } }
      },
      catch: (cause) =>
        cause instanceof JournalReadError ? cause : new JournalReadError({ file, detail: String(cause) })
    })
  }
})

/** Where the next line ends, or the next one that holds these bytes; -1 where there is none. */
const lineEnd = (buffer: Buffer, from: number, holding: Buffer | undefined): number => {
  const at = holding === undefined ? from : buffer.indexOf(holding, from)
  return at === -1 ? -1 : buffer.indexOf(newline, at)
}

/** The beginning of the segment that holds the record after `from.seq`; `undefined` when there is none yet. */
export const nextSegment = Effect.fnUntraced(function* (dataDir: string, node: string, from: Position) {
  const since = (day?: string) =>
    Effect.map(segmentsSince(dataDir, node, day), (segments) =>
      // A file that was begun and holds nothing is passed over.
      segments.find(({ file, firstSeq }) => firstSeq > from.seq && file !== from.file)
    )
  const near = yield* since(parseSegmentName(from.file)?.day).pipe(Effect.mapError(unreadable(from.file)))
  // A clock that went back has put the next records into an earlier day.
  const next = near?.firstSeq === from.seq + 1 ? near : yield* since().pipe(Effect.mapError(unreadable(from.file)))
  return next && ({ seq: next.firstSeq - 1, file: next.file, byteOffset: 0 } satisfies Position)
})

/** A part of the archive: one node's records of one file, in order. */
export interface ArchiveChunk {
  readonly node: string
  readonly file: string
  readonly records: ReadonlyArray<JournalRecord>
  /** Bytes of the file these records took. */
  readonly bytes: number
}

const readSegment = (
  dataDir: string,
  segment: SegmentName,
  quick: QuickReader | undefined
): Stream.Stream<ArchiveChunk, JournalReadError, Disk> =>
  Stream.unfold<Position, ArchiveChunk, JournalReadError, Disk>(
    { seq: segment.firstSeq - 1, file: segment.file, byteOffset: 0 },
    Effect.fnUntraced(function* (at) {
      const chunk = yield* readLines(dataDir, at, { quick })
      if (chunk === undefined) return undefined
      const bytes = chunk.end.byteOffset - at.byteOffset
      return [{ node: segment.node, file: segment.file, records: chunk.records, bytes }, chunk.end] as const
    })
  )

/** Days are `YYYYMMDD` in market time, both included. */
export interface ArchiveRange {
  readonly dataDir: string
  readonly fromDay?: string | undefined
  readonly toDay?: string | undefined
}

/** Bytes of a segment's content: of a compressed one as the manifest says, or else as the file itself does. */
const contentBytes = Effect.fnUntraced(function* (
  dataDir: string,
  segment: SegmentName,
  entered: ReadonlyArray<ManifestLine>
) {
  const disk = yield* Disk
  const path = join(dataDir, segment.file)
  const plain = (yield* disk.size(path)) ?? (yield* disk.size(path + openSuffix))
  if (plain !== undefined) return plain
  const line = entered.find(({ file }) => file === nameInDay(segment.file))
  if (line !== undefined) return line.bytes
  return (yield* disk.size(path + gzipSuffix)) === undefined ? 0 : yield* gzipContentBytes(path + gzipSuffix)
})

/** The files of every node in a range of days, with the bytes of their content. */
export const listArchive = Effect.fnUntraced(
  function* (range: ArchiveRange) {
    const slashed = (day: string | undefined) => day && dayFolder(day)
    const to = slashed(range.toDay)
    const files: Array<{ readonly segment: SegmentName; readonly bytes: number }> = []
    for (const day of yield* listDays(range.dataDir, slashed(range.fromDay) ?? "")) {
      if (to !== undefined && day > to) break
      const segments = yield* listSegments(range.dataDir, day)
      const entered = segments.some(({ gzip }) => gzip) ? yield* readManifest(range.dataDir, day) : []
      for (const segment of segments) {
        files.push({ segment, bytes: yield* contentBytes(range.dataDir, segment, entered) })
      }
    }
    return files
  },
  Effect.mapError(unreadable("archive"))
)

/** Every record of the archive from disk, file after file. A torn last line is left out. */
export const readArchive = (
  range: ArchiveRange,
  quick?: QuickReader
): Stream.Stream<ArchiveChunk, JournalReadError, Disk> =>
  Stream.unwrap(
    Effect.map(listArchive(range), (files) =>
      Stream.fromIterable(files).pipe(Stream.flatMap(({ segment }) => readSegment(range.dataDir, segment, quick)))
    )
  )
