import { Effect } from "effect"
import { join } from "node:path"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { Disk } from "./Disk.ts"
import { gzipContentBytes } from "./GzipFile.ts"
import { JournalReadError } from "./JournalError.ts"
import { readManifest } from "./Manifest.ts"
import { readContent } from "./SegmentContent.ts"
import { gzipSuffix, nameInDay, openSuffix, type SegmentName } from "./SegmentName.ts"
import { listSegments } from "./Segments.ts"

/** From the first record of a file to its last one, UTC milliseconds. */
export interface RecordedTime {
  readonly fromMs: number
  readonly toMs: number
}

const block_bytes = 1 << 16
/** No line is so long: a file without one in so many bytes has none that can be read. */
const line_bytes_max = 1 << 24

/**
 * The times of a day's files (`YYYY/MM/DD`), in order: of sealed ones as the manifest tells, else by their first and last
 * whole line. A file without one has none.
 */
export const recordedTimes = Effect.fnUntraced(
  function* (dataDir: string, day: string) {
    const entered = new Map((yield* readManifest(dataDir, day)).map((line) => [line.file, line]))
    const times: Array<RecordedTime> = []
    for (const segment of yield* listSegments(dataDir, day)) {
      const line = entered.get(nameInDay(segment.file))
      const time =
        line === undefined
          ? yield* timeOf(dataDir, segment)
          : { fromMs: Date.parse(line.firstReceivedAt), toMs: Date.parse(line.lastReceivedAt) }
      if (time !== undefined && time.fromMs <= time.toMs) times.push(time)
    }
    return times.sort((a, b) => a.fromMs - b.fromMs)
  },
  Effect.mapError((error) =>
    error._tag === "DiskError" ? new JournalReadError({ file: error.path, detail: error.message }) : error
  )
)

const timeOf = Effect.fnUntraced(function* (dataDir: string, { file }: SegmentName) {
  const disk = yield* Disk
  const path = join(dataDir, file)
  const size =
    (yield* disk.size(path)) ?? (yield* disk.size(path + openSuffix)) ?? (yield* gzipContentBytes(path + gzipSuffix))
  const blockAt = Effect.fnUntraced(function* (at: number, length: number) {
    const bytes = yield* readContent(dataDir, file, at, length)
    return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, length)).toString("latin1")
  })
  for (let length = block_bytes; length <= line_bytes_max; length *= 4) {
    const first = (yield* blockAt(0, length)).split("\n", 2)
    const lines = (yield* blockAt(Math.max(0, size - length), length)).split("\n")
    // What follows the last newline is not written yet, and what comes before the first one may be the end of a line.
    const last = lines.length > 2 || length >= size ? lines.at(-2) : undefined
    if (first.length === 2 && last !== undefined) {
      const [fromMs, toMs] = [receivedMs(first[0]), receivedMs(last)]
      return fromMs === undefined || toMs === undefined ? undefined : { fromMs, toMs: Math.max(fromMs, toMs) }
    }
    if (length >= size) return undefined
  }
  return undefined
})

const receivedMs = (line = ""): number | undefined => {
  try {
    const atMs = Date.parse((JSON.parse(line) as JournalRecord).receivedAt)
    return Number.isNaN(atMs) ? undefined : atMs
  } catch {
    return undefined
  }
}
