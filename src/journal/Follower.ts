import { Clock, Data, Duration, Effect, Option, Schedule } from "effect"
import { inSpan } from "../actor/inSpan.ts"
import { marketNow } from "../calendar/MarketClock.ts"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { ByteLag, chunkBytes } from "./follower/ByteLag.ts"
import { type End, Journal, type JournalChunk, type Position } from "./Journal.ts"

/**
 * A consumer of the journal with a cursor of its own. It says where it left off and how a batch is written; the driver
 * does the reading, batching, retrying and the measuring of its lag.
 */
export interface Follower<E> {
  readonly name: string
  /** About how many records a batch holds; it ends with the chunk that reaches this. */
  readonly batchSize: number
  /** As much, while it lags by more than `batchSize`; the next batch is then read while this one is written. */
  readonly catchUpSize?: number
  /** How long a batch that is not full may wait for more. */
  readonly linger: Duration.Input
  /** Reads only what survives a power cut, so that what it stores is never ahead of the journal it came from. */
  readonly durable?: boolean
  /** The place after the last record this follower has stored. Asked again after every failure. */
  readonly cursor: Effect.Effect<Position, E>
  /** Stores the records between two places and moves the cursor with them: both, or neither. */
  write(batch: ReadonlyArray<JournalRecord>, from: Position, to: Position): Effect.Effect<void, E>
}

/** The follower has stored more than this journal holds: the data folder was replaced under a database that was kept. */
export class CursorAhead extends Data.TaggedError("CursorAhead")<{
  readonly follower: string
  readonly seq: number
  readonly headSeq: number
}> {
  override get message() {
    return `${this.follower} has stored up to ${this.seq}, but this journal ends at ${this.headSeq}: it is another journal; give it another OBSERVER_NODE, or bring the old folder back`
  }
}

export interface FollowerStatus {
  readonly name: string
  /** `starting` until the cursor has been read once; `degraded` while writing fails. */
  readonly state: "starting" | "ok" | "degraded"
  readonly sinceMs: number
  readonly reason?: string
  readonly seq: number
  readonly lag_records: number
  /** Bytes of the journal's files, uncompressed, that hold them; until the cursor has been read, what was appended since the start. */
  readonly lag_bytes: number
  /** Age, in market time, of the oldest record not yet stored; until the cursor has been read, the time since the start. */
  readonly lag_seconds: number
  readonly lastGoodAtMs: number | undefined
}

interface Batch {
  readonly records: ReadonlyArray<JournalRecord>
  readonly to: Position
  /** Of the journal's files. */
  readonly bytes: number
}

export interface FollowerDriver {
  /** The follower's work, for a supervisor to run. Ends when the journal is closed and everything in it is stored. */
  readonly run: Effect.Effect<void>
  readonly status: Effect.Effect<FollowerStatus>
}

/** Between two tries after a failure: from a quarter of a second to half a minute. */
const backOff = Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("30 seconds")]).pipe(
  Schedule.jittered
)

const receivedAtMs = ({ records: [first] }: Batch): number | undefined => first && Date.parse(first.receivedAt)

/** Drives one follower. Failures of any kind are retried for ever: the journal keeps what the follower has not stored. */
export const drive = Effect.fnUntraced(function* <E extends { readonly message: string }>(follower: Follower<E>) {
  const journal = yield* Journal
  const linger = Duration.fromInputUnsafe(follower.linger)
  const end: End = follower.durable === true ? "synced" : "head"
  const byteLag = new ByteLag()
  const catchUpSize = follower.catchUpSize ?? follower.batchSize
  let state: FollowerStatus["state"] = "starting"
  let sinceMs = yield* Clock.currentTimeMillis
  let reason: string | undefined
  let at: Position | undefined
  let seenSeq = 0
  const startedMs = yield* marketNow
  /** Until then what the database has is not known: it may be anything but what came since the start. */
  let isCursorKnown = false
  /** Read ahead while the batch before it was written. */
  let ahead: Batch | undefined
  let waitingSinceMs: number | undefined
  let lastGoodAtMs: number | undefined

  const turn = Effect.fnUntraced(function* (next: FollowerStatus["state"], why?: string) {
    reason = why
    if (state === next) return
    if (state === "degraded") yield* Effect.logInfo(`the follower "${follower.name}" stores again`)
    state = next
    sinceMs = yield* Clock.currentTimeMillis
  })

  const read = Effect.fnUntraced(function* (from: Position, size: number, begun?: Batch) {
    const records = [...(begun?.records ?? [])]
    let to = from
    let bytes = begun?.bytes ?? 0
    while (records.length < size) {
      const chunk: JournalChunk | undefined = yield* journal.next(to, end)
      if (chunk === undefined) break
      for (const record of chunk.records) records.push(record)
      bytes += chunkBytes(to, chunk)
      to = chunk.end
    }
    return { records, to, bytes } satisfies Batch
  })

  const isBehind = (from: Position) =>
    Effect.map(journal.status, ({ head, synced }) => {
      const { seq } = end === "head" ? head : synced
      return seq - from.seq > follower.batchSize
    })

  /** A batch, or `undefined` when the journal is closed and read to its end. */
  const gather = Effect.fnUntraced(function* (from: Position) {
    if (!(yield* journal.hasAfter(from.seq, end))) return undefined
    const size = (yield* isBehind(from)) ? catchUpSize : follower.batchSize
    const batch = yield* read(from, size)
    waitingSinceMs = receivedAtMs(batch)
    if (batch.records.length >= follower.batchSize) return batch
    yield* Effect.sleep(linger)
    return yield* read(batch.to, follower.batchSize, batch)
  })

  /** While far behind, the batch after the one that is being written; never waits for records to come. */
  const gatherAhead = Effect.fnUntraced(function* (from: Position) {
    return (yield* isBehind(from)) ? yield* read(from, catchUpSize) : undefined
  })

  /** Stores one batch; `false` when there is nothing left and nothing will come. After a failure the cursor is asked again. */
  const step = Effect.gen(function* () {
    const from: Position = at ?? (yield* follower.cursor)
    at = from
    seenSeq = from.seq
    isCursorKnown = true
    const { appended_bytes, head, synced } = yield* journal.status
    const headSeq = head.seq
    if (from.seq > headSeq) return yield* new CursorAhead({ follower: follower.name, seq: from.seq, headSeq })
    if (byteLag.isLostAt(from)) byteLag.measured(from, yield* journal.bytesAfter(from), appended_bytes)
    if (state === "starting" || from.seq >= (end === "head" ? head : synced).seq) yield* turn("ok")
    const batch = ahead ?? (yield* gather(from))
    if (batch === undefined) return false
    byteLag.storing(batch)
    const attributes = { first_seq: from.seq + 1, last_seq: batch.to.seq, records: batch.records.length }
    const written = inSpan(follower.write(batch.records, from, batch.to), `${follower.name}.batch`, { attributes })
    // What cannot be read ahead is met, and told, by the step it is for; it must not cost the batch at hand.
    const [, next] = yield* Effect.all([written, Effect.option(gatherAhead(batch.to))], { concurrency: 2 })
    byteLag.stored()
    at = batch.to
    ahead = Option.getOrUndefined(next)
    seenSeq = at.seq
    yield* turn("ok")
    waitingSinceMs = ahead && receivedAtMs(ahead)
    lastGoodAtMs = yield* Clock.currentTimeMillis
    return true
  })

  const failed = Effect.fnUntraced(function* (error: { readonly message: string }) {
    at = undefined
    ahead = undefined
    if (reason !== error.message) {
      yield* Effect.logWarning(`the follower "${follower.name}" cannot store; the journal keeps everything for it`, {
        reason: error.message
      })
    }
    yield* turn("degraded", error.message)
  })

  const run = step.pipe(
    Effect.tapError(failed),
    Effect.retry(backOff),
    Effect.orDie,
    Effect.repeat({ while: (more) => more }),
    Effect.asVoid
  )

  const status = Effect.gen(function* () {
    const { appended_bytes, head } = yield* journal.status
    const now = yield* marketNow
    const lag_records = Math.max(0, head.seq - seenSeq)
    const oldestMs = isCursorKnown ? waitingSinceMs : startedMs
    return {
      name: follower.name,
      state,
      sinceMs,
      ...(reason === undefined ? {} : { reason }),
      seq: seenSeq,
      lag_records,
      lag_bytes: lag_records === 0 ? 0 : isCursorKnown ? byteLag.now(appended_bytes) : appended_bytes,
      lag_seconds: lag_records === 0 || oldestMs === undefined ? 0 : Math.max(0, (now - oldestMs) / 1_000),
      lastGoodAtMs
    } satisfies FollowerStatus
  })

  return { run, status } satisfies FollowerDriver
})
