import { Effect, Semaphore } from "effect"
import { dayFolder, marketDate, marketMidnight } from "../calendar/MarketTime.ts"
import type { Disk } from "./Disk.ts"
import type { GapRecord } from "./GapBook.ts"
import { JournalReadError } from "./JournalError.ts"
import { readLines } from "./Reader.ts"
import type { SegmentName } from "./SegmentName.ts"
import { listDays, listSegments } from "./Segments.ts"

/** Every gap holds this, and next to nothing else does: only such lines are parsed. */
const mark = Buffer.from('"kind":"gap"')

const day_ms = 86_400_000
/** A hole may be told days after it began, when it is over: so many days are looked through. */
const days_after = 7
/** Remembered of days asked for before the newest question: some 25 MB of gaps, and files of a few weeks. */
const records_max = 50_000
const files_max = 2_000

interface Seen {
  byteOffset: number
  readonly gaps: Array<GapRecord>
}

/**
 * The gap records that tell of a day: those of its own folder and of the next seven days, for a hole that lasts may be told
 * when it is over, and of the next folder there is, for a time in which nothing ran is told when the next run begins. What
 * was read is remembered for the days asked for last, so that asking again reads only what has been appended since.
 */
export class GapArchive {
  private readonly dataDir: string
  private readonly oneAtATime = Semaphore.makeUnsafe(1)
  /** By file; what was asked for last is last. */
  private readonly seen = new Map<string, Seen>()

  constructor(dataDir: string) {
    this.dataDir = dataDir
  }

  /** Of a market day, `YYYYMMDD`, in the order of the journal. */
  gapsOf(day: string): Effect.Effect<ReadonlyArray<GapRecord>, JournalReadError, Disk> {
    return this.oneAtATime.withPermits(1)(
      Effect.gen({ self: this }, function* () {
        const segments = yield* this.segmentsOf(day)
        const gaps: Array<GapRecord> = []
        for (const { file, firstSeq } of segments) {
          const known = this.seen.get(file) ?? { byteOffset: 0, gaps: [] }
          this.seen.delete(file)
          this.seen.set(file, known)
          // What could not be read is read from its beginning when it is asked for again.
          yield* Effect.tapError(this.readOn(file, firstSeq, known), () => Effect.sync(() => this.seen.delete(file)))
          for (const gap of known.gaps) gaps.push(gap)
        }
        this.forget(segments.length)
        return gaps
      })
    )
  }

  /** Lets go of the files that were not asked for longest, but of none that was asked for just now. */
  private forget(asked: number): void {
    let records = 0
    for (const { gaps } of this.seen.values()) records += gaps.length
    let others = this.seen.size - asked
    for (const [file, { gaps }] of this.seen) {
      if (others <= 0 || (records <= records_max && this.seen.size <= files_max)) return
      this.seen.delete(file)
      records -= gaps.length
      others -= 1
    }
  }

  private segmentsOf = Effect.fnUntraced({ self: this }, function* (this: GapArchive, day: string) {
    const folder = dayFolder(day)
    const until = dayFolder(marketDate(marketMidnight(day) + days_after * day_ms))
    const unreadable = (error: { readonly message: string }) =>
      new JournalReadError({ file: folder, detail: error.message })
    const days = yield* Effect.mapError(listDays(this.dataDir, folder), unreadable)
    const next = days.find((each) => each > folder)
    const segments: Array<SegmentName> = []
    for (const each of days.filter((each) => each <= until || each === next)) {
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
        for (const { kind, payload, symbol } of chunk.records) {
          if (kind === "gap") seen.gaps.push({ kind, symbol, payload })
        }
      }
    }
  )
}
