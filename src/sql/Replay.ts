import { Clock, Data, Effect, Stream } from "effect"
import type { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { annotateSpan, inSpan } from "../actor/inSpan.ts"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import type { Position } from "../journal/Position.ts"
import type { ArchiveChunk } from "../journal/Reader.ts"
import { patiently } from "./Patience.ts"
import { compare, isEven, type Reconciliation, reconcileTallies, tally, type Tallies } from "./Reconcile.ts"
import { makeRecordStore, type Stored } from "./RecordStore.ts"
import { makeReplayCheckpoints, type ReplayCheckpoints } from "./ReplayCheckpoint.ts"

export interface ReplayProgress extends Stored {
  readonly file: string
  readonly lines: number
  readonly bytes: number
  /** Lines passed over, as a replay that was ended before its end had stored them. */
  readonly passed: number
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
  /** Names the range of days that the chunks are of; an ended replay of the same range is gone on with. */
  readonly range: string
  /** Told after every batch. */
  readonly onProgress: (progress: ReplayProgress) => Effect.Effect<void>
}

/** Rows a transaction. */
const batch_rows = 2_000
/** Batches on their way to the server at once, each over a connection of its own. */
const concurrency = 3
/** A replay that is killed has to repeat no more than this and what was on its way. */
const checkpoint_ms = 1_000

/** Consecutive records of one node, and the place after them. */
interface Batch {
  readonly node: string
  readonly records: Array<JournalRecord>
  bytes: number
  end: Position
}

/** What a checkpoint says is stored is not, or not any more. */
class CheckpointFalse extends Data.TaggedError("CheckpointFalse")<{ readonly node: string }> {}

const isCheckpointFalse = (error: unknown): error is CheckpointFalse => error instanceof CheckpointFalse

/** Tells which chunks lie before the checkpoint of their node, and holds what was stored before against the database. */
const makeResumption = (checkpoints: ReadonlyMap<string, Position>) => {
  const ahead = new Map(checkpoints)
  return {
    /** Whether the chunk is stored. Fails once the node's last such chunk is passed and the rows of all of them are not there. */
    passes: Effect.fnUntraced(function* ({ file, node }: ArchiveChunk, end: Position, tallies: Tallies) {
      const to = ahead.get(node)
      if (to === undefined) return false
      if (file !== to.file || end.byteOffset < to.byteOffset) return true
      ahead.delete(node)
      // A chunk that reaches beyond the checkpoint was read in other pieces: it is not passed over.
      const own = tallies.get(node)
      const [found] = own === undefined ? [] : yield* patiently(compare(new Map([[node, own]])))
      if (found !== undefined && !isEven(found)) return yield* new CheckpointFalse({ node })
      return end.byteOffset === to.byteOffset
    }),
    /** Nodes whose checkpoint was never come to: its file is gone. */
    unmet: () => [...ahead.keys()]
  }
}

const attempt = Effect.fnUntraced(function* <E, R>(
  { chunks, onProgress }: ReplayOptions<E, R>,
  checkpoints: ReplayCheckpoints,
  begun: ReadonlyMap<string, Position>
) {
  const { lateCommit, store } = yield* makeRecordStore
  const startedAtMs = yield* Clock.currentTimeMillis
  const sum = { lines: 0, bytes: 0, passed: 0, inserted: 0, present: 0, incidents: 0, refused: 0 }
  const resumption = makeResumption(begun)
  const ends = new Map<string, Position>()
  let tallies: Tallies = new Map()
  let place = { file: "", byteOffset: 0 }
  let pending: Batch | undefined
  let checkpointAtMs = startedAtMs

  const progress = Effect.map(Clock.currentTimeMillis, (nowMs) => {
    const elapsed_ms = nowMs - startedAtMs
    const rows = sum.inserted + sum.present
    return { ...sum, elapsed_ms, rowsPerSecond: elapsed_ms === 0 ? 0 : Math.round((rows * 1_000) / elapsed_ms) }
  })

  /** Counts a chunk, and gives the batches that are full with it. */
  const gather = Effect.fnUntraced(function* (chunk: ArchiveChunk) {
    const { bytes, file, node, records } = chunk
    place = { file, byteOffset: (place.file === file ? place.byteOffset : 0) + bytes }
    const end = { ...place, seq: records.at(-1)?.seq ?? 0 }
    const isPassed = yield* resumption.passes(chunk, end, tallies)
    tallies = tally(tallies, chunk)
    if (isPassed) {
      sum.lines += records.length
      sum.passed += records.length
      sum.bytes += bytes
      return []
    }
    const full: Array<Batch> = []
    if (pending !== undefined && pending.node !== node) {
      full.push(pending)
      pending = undefined
    }
    pending ??= { node, records: [], bytes: 0, end }
    pending.bytes += bytes
    pending.end = end
    for (const record of records) pending.records.push(record)
    if (pending.records.length >= batch_rows) {
      full.push(pending)
      pending = undefined
    }
    return full
  })

  const storeBatch = (batch: Batch) => {
    const { end, node, records } = batch
    const attributes = { node, file: end.file, last_seq: end.seq, records: records.length }
    const stored = inSpan(patiently(store(records, node, lateCommit)), "replay.batch", { attributes })
    return Effect.map(stored, (outcome) => ({ batch, stored: outcome }))
  }

  /** Batches come here in the order of the archive, whichever was stored first: before this one all is stored. */
  const settle = Effect.fnUntraced(function* ({ batch, stored }: { readonly batch: Batch; readonly stored: Stored }) {
    sum.inserted += stored.inserted
    sum.present += stored.present
    sum.incidents += stored.incidents
    sum.refused += stored.refused
    sum.lines += batch.records.length
    sum.bytes += batch.bytes
    const nowMs = yield* Clock.currentTimeMillis
    if (nowMs - checkpointAtMs >= checkpoint_ms) {
      checkpointAtMs = nowMs
      yield* patiently(checkpoints.move(batch.node, batch.end))
    }
    ends.set(batch.node, batch.end)
    yield* onProgress({ ...(yield* progress), file: batch.end.file })
  })

  yield* chunks.pipe(
    Stream.mapEffect(gather),
    Stream.flattenIterable,
    Stream.concat(Stream.suspend(() => (pending === undefined ? Stream.empty : Stream.make(pending)))),
    Stream.mapEffect(storeBatch, { concurrency }),
    Stream.runForEach(settle)
  )
  const [unmet] = resumption.unmet()
  if (unmet !== undefined && tallies.has(unmet)) return yield* new CheckpointFalse({ node: unmet })
  // Late commits are on the server's disk once a later one is.
  for (const [node, end] of ends) yield* patiently(checkpoints.move(node, end))
  const nodes = yield* reconcileTallies(tallies, chunks)
  for (const node of tallies.keys()) yield* patiently(checkpoints.remove(node))
  const report: ReplayReport = { ...(yield* progress), nodes }
  const { inserted, lines, passed, present, refused } = report
  yield* annotateSpan({ lines, passed, inserted, present, refused })
  return report
})

/**
 * Stores an archive in SQL with the follower's own code, and moves no follower's cursor. Rows that are there already are
 * left as they are, so running it twice, two at once, or beside the live follower ends in the same rows as one clean replay.
 *
 * One that was ended goes on at its checkpoint, if all before that is still stored, and nothing else; else it begins anew. A checkpoint is
 * moved after the rows before it are stored, by itself: what is between the two is stored again, which changes nothing.
 */
export const replay = <E, R>(
  options: ReplayOptions<E, R>
): Effect.Effect<ReplayReport, E | SqlError, R | SqlClient.SqlClient> =>
  inSpan(replayFrom(options), "replay.run", { attributes: { range: options.range } })

const replayFrom = <E, R>(
  options: ReplayOptions<E, R>
): Effect.Effect<ReplayReport, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const checkpoints = yield* makeReplayCheckpoints(options.range)
    const begun = yield* patiently(checkpoints.read)
    return yield* attempt(options, checkpoints, begun).pipe(
      Effect.catchIf(isCheckpointFalse, ({ node }) => {
        const words = "what an earlier replay had stored is not there any more: this one begins anew"
        return Effect.andThen(
          Effect.logWarning(words, { node }),
          // Without a checkpoint there is none that could be false.
          Effect.catchIf(attempt(options, checkpoints, new Map()), isCheckpointFalse, Effect.die)
        )
      })
    )
  })
