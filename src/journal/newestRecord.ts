import { Effect } from "effect"
import { Disk } from "./Disk.ts"
import { daysOnward, readHint } from "./HeadHint.ts"
import { readManifest } from "./Manifest.ts"
import { newestSegments } from "./recovery/newestSegments.ts"
import { nameInDay, type SegmentName, segmentPath } from "./SegmentName.ts"
import { listDays, listSegments } from "./Segments.ts"

/** The end of a journal as it lies on disk. */
export interface NewestRecord {
  readonly seq: number
  /** UTC, ISO 8601. */
  readonly receivedAt: string
  /** Relative to the data folder. */
  readonly file: string
  /** The file is still being written, or a kill has left it so. */
  readonly open: boolean
}

/** Of the newest file only its end is read; a line may be as long as a frame that was kept whole. */
const tail_bytes = [65_536, 8 * 1024 * 1024] as const
/** A hint leads to the newest file but where somebody else has put files into the folder: they lie in the latest days. */
const daysLookedAt = 3

const asRecord = (line: string): Pick<NewestRecord, "seq" | "receivedAt"> | undefined => {
  try {
    const { receivedAt, seq }: { readonly seq?: unknown; readonly receivedAt?: unknown } = JSON.parse(line)
    return typeof seq === "number" && typeof receivedAt === "string" ? { seq, receivedAt } : undefined
  } catch {
    return undefined
  }
}

/** The last whole line of a plain file. */
const lastLine = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const size = (yield* disk.size(path)) ?? 0
  for (const length of tail_bytes) {
    const from = Math.max(0, size - length)
    const text = Buffer.from(yield* disk.readAt(path, from, size - from)).toString("utf8")
    const whole = text.slice(0, text.lastIndexOf("\n"))
    const line = whole.slice(whole.lastIndexOf("\n") + 1)
    const found = text.includes("\n") ? asRecord(line) : undefined
    if (found !== undefined) return found
  }
  return undefined
})

const candidates = Effect.fnUntraced(function* (dataDir: string, node: string) {
  const hint = yield* readHint(dataDir, node)
  if (hint === undefined) return yield* newestSegments(dataDir, node)
  const days = yield* listDays(dataDir)
  const found: Array<SegmentName> = []
  for (const day of yield* daysOnward(dataDir, node, [...days.slice(-daysLookedAt), ...hint.days])) {
    for (const segment of yield* listSegments(dataDir, day)) if (segment.node === node) found.push(segment)
  }
  return found.sort((a, b) => a.firstSeq - b.firstSeq)
})

/**
 * The newest record of a node, found without a lock beside whoever writes: of a sealed file the manifest tells, of another
 * its last whole line. `undefined` in a folder without records.
 */
export const newestRecord = Effect.fnUntraced(function* (dataDir: string, node: string) {
  for (const segment of (yield* candidates(dataDir, node)).toReversed()) {
    const { day, file, open } = segment
    const sealed = open ? undefined : (yield* readManifest(dataDir, day)).find((line) => line.file === nameInDay(file))
    if (sealed !== undefined) {
      return { seq: sealed.lastSeq, receivedAt: sealed.lastReceivedAt, file, open } satisfies NewestRecord
    }
    // What is compressed stands in a manifest; else it is another's file, and says nothing of the end.
    const found = segment.gzip ? undefined : yield* lastLine(segmentPath(dataDir, segment))
    if (found !== undefined) return { ...found, file, open } satisfies NewestRecord
  }
  return undefined
})
