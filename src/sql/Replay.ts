import { Clock, Effect, Schedule, Stream } from "effect"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { ArchiveChunk } from "../journal/Reader.ts"
import { isPassing } from "./DatabaseError.ts"
import { compare, type Reconciliation, tally, type Tallies } from "./Reconcile.ts"
import { makeRecordStore, type Stored } from "./RecordStore.ts"

export interface ReplayProgress extends Stored {
  readonly file: string
  readonly lines: number
  readonly bytes: number
  readonly elapsed_ms: number
  /** Lines that became rows, or had become rows before. */
  readonly rowsPerSecond: number
}

export interface ReplayReport extends Omit<ReplayProgress, "file"> {
  /** Files against rows after the replay; the rows before it are these less `inserted`. */
  readonly nodes: ReadonlyArray<Reconciliation>
}

export interface ReplayOptions<E, R> {
  readonly chunks: Stream.Stream<ArchiveChunk, E, R>
  /** Told after every chunk. */
  readonly onProgress: (progress: ReplayProgress) => Effect.Effect<void>
}

/** Rows a transaction: a replay that is killed has to repeat no more than this. */
const batch_rows = 1_000

/** A server that restarts meanwhile is waited for, about two minutes. */
const patience = Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 16 })
)

const batches = (chunk: ArchiveChunk) =>
  Array.from({ length: Math.ceil(chunk.records.length / batch_rows) }, (_, index) =>
    chunk.records.slice(index * batch_rows, (index + 1) * batch_rows)
  )

/**
 * Stores an archive in SQL with the follower's own code, and moves no cursor. Rows that are there already are left as they
 * are, so running it twice, two at once, or beside the live follower ends in the same rows as one clean replay.
 */
export const replay = <E, R>({
  chunks,
  onProgress
}: ReplayOptions<E, R>): Effect.Effect<ReplayReport, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { store } = yield* makeRecordStore
    const startedAtMs = yield* Clock.currentTimeMillis
    const sum = { lines: 0, bytes: 0, inserted: 0, present: 0, incidents: 0, refused: 0 }
    let tallies: Tallies = new Map()

    const progress = Effect.map(Clock.currentTimeMillis, (nowMs) => {
      const elapsed_ms = nowMs - startedAtMs
      const rows = sum.inserted + sum.present
      return { ...sum, elapsed_ms, rowsPerSecond: elapsed_ms === 0 ? 0 : Math.round((rows * 1_000) / elapsed_ms) }
    })

    const storeChunk = Effect.fnUntraced(function* (chunk: ArchiveChunk) {
      for (const batch of batches(chunk)) {
        const stored = yield* store(batch, chunk.node, Effect.void).pipe(
          Effect.retry({ schedule: patience, while: isPassing })
        )
        sum.inserted += stored.inserted
        sum.present += stored.present
        sum.incidents += stored.incidents
        sum.refused += stored.refused
      }
      sum.lines += chunk.records.length
      sum.bytes += chunk.bytes
      tallies = tally(tallies, chunk)
      yield* onProgress({ ...(yield* progress), file: chunk.file })
    })

    yield* Stream.runForEach(chunks, storeChunk)
    return { ...(yield* progress), nodes: yield* compare(tallies) }
  }).pipe(Effect.withSpan("Replay.replay"))
