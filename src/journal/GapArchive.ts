import { Effect, Semaphore } from "effect"
import { dayFolder } from "../calendar/MarketTime.ts"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import type { Disk } from "./Disk.ts"
import { JournalReadError } from "./JournalError.ts"
import { readLines } from "./Reader.ts"
import type { SegmentName } from "./SegmentName.ts"
import { listDays, listSegments } from "./Segments.ts"

/** Every gap holds this, and next to nothing else does: only such lines are parsed. */
const mark = Buffer.from('"kind":"gap"')

interface Seen {
  byteOffset: number
  readonly gaps: Array<JournalRecord>
}

/**
 * The gap records that tell of a day: those of its own folder, and of the next one there is, for how far a hole went is
 * written when it is over, and a time in which nothing ran when the next run begins. What was read is remembered for the days asked for
 * last, so that asking again reads only what has been appended since.
 */
export class GapArchive {
  private readonly dataDir: string
  private readonly oneAtATime = Semaphore.makeUnsafe(1)
  private seen = new Map<string, Seen>()

  constructor(dataDir: string) {
    this.dataDir = dataDir
  }

  /** Of a market day, `YYYYMMDD`, in the order of the journal. */
  gapsOf(day: string): Effect.Effect<ReadonlyArray<JournalRecord>, JournalReadError, Disk> {
    return this.oneAtATime.withPermits(1)(
      Effect.gen({ self: this }, function* () {
        const segments = yield* this.segmentsOf(dayFolder(day))
        const seen = new Map<string, Seen>(
          segments.map(({ file }) => [file, this.seen.get(file) ?? { byteOffset: 0, gaps: [] }])
        )
        this.seen = seen
        for (const { file, firstSeq } of segments) {
          const known = seen.get(file)
          if (known === undefined) continue
          // What could not be read is read from its beginning when it is asked for again.
          yield* Effect.tapError(this.readOn(file, firstSeq, known), () => Effect.sync(() => seen.delete(file)))
        }
        return [...seen.values()].flatMap(({ gaps }) => gaps)
      })
    )
  }

  private segmentsOf = Effect.fnUntraced({ self: this }, function* (this: GapArchive, folder: string) {
    const unreadable = (error: { readonly message: string }) =>
      new JournalReadError({ file: folder, detail: error.message })
    const days = yield* Effect.mapError(listDays(this.dataDir, folder), unreadable)
    const segments: Array<SegmentName> = []
    for (const each of days.slice(0, days[0] === folder ? 2 : 1)) {
      segments.push(...(yield* Effect.mapError(listSegments(this.dataDir, each), unreadable)))
    }
    return segments
  })

  private readOn = Effect.fnUntraced(
    { self: this },
    function* (this: GapArchive, file: string, firstSeq: number, seen: Seen) {
      while (true) {
        const { byteOffset } = seen
        const chunk = yield* readLines(this.dataDir, { seq: firstSeq - 1, file, byteOffset }, { holding: mark })
        if (chunk === undefined) return
        seen.byteOffset = chunk.end.byteOffset
        seen.gaps.push(...chunk.records.filter(({ kind }) => kind === "gap"))
      }
    }
  )
}
