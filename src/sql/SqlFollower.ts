import { Data, type Duration, Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import type { Follower } from "../journal/Follower.ts"
import { origin, type Position } from "../journal/Position.ts"
import { DatabaseError, databaseError } from "./DatabaseError.ts"
import { makeRecordStore } from "./RecordStore.ts"

/** The cursor is not where this follower left it: another one of the same name and node is running. */
export class CursorMoved extends Data.TaggedError("CursorMoved")<{
  readonly follower: string
  readonly node: string
  readonly expectedSeq: number
}> {
  override get message() {
    return `the cursor of ${this.follower} for node ${this.node} is no longer at ${this.expectedSeq}: another observer of this name writes to this database; give each its own OBSERVER_NODE`
  }
}

export interface SqlFollowerOptions<E> {
  readonly node: string
  /** Records a batch near the head; 1,000 keep a transaction near 20 ms. */
  readonly batchSize: number
  /** Records a batch behind it, where what a transaction costs by itself is to be shared by many. */
  readonly catchUpSize?: number
  readonly linger: Duration.Input
  /** Run once before the first cursor is read, and again until it succeeds: the migrations. */
  readonly prepare: Effect.Effect<unknown, E>
}

const name = "sql"
/** For all statements of a batch together. Each has its own limits, of the server and of the connection, which end sooner. */
const answer_limit = "2 minutes"
/** Migrations may rewrite tables. */
const prepare_limit = "10 minutes"

interface CursorRow {
  readonly seq: bigint
  readonly file: string
  readonly byte_offset: bigint
}

/**
 * The follower that fills `pattern_records` and `ingest_errors`. A batch and the cursor are committed in one transaction,
 * so that after any crash, on either side, there is neither a hole nor a duplicate; a commit whose answer was lost is
 * found by asking for the cursor again, as its driver does after every failure.
 */
export const makeSqlFollower = Effect.fn("SqlFollower.make")(function* <E extends SqlError | MigrationError>({
  batchSize,
  catchUpSize = batchSize,
  linger,
  node,
  prepare
}: SqlFollowerOptions<E>) {
  const sql = yield* SqlClient.SqlClient
  const { lateCommit, store } = yield* makeRecordStore
  let isPrepared = false

  const prepared = Effect.suspend(() =>
    isPrepared
      ? Effect.void
      : prepare.pipe(
          Effect.mapError((error) =>
            isSqlError(error)
              ? databaseError("prepare its tables")(error)
              : new DatabaseError({ operation: "prepare its tables", detail: migrationDetail(error) })
          ),
          within("prepare its tables", prepare_limit),
          Effect.andThen(Effect.sync(() => void (isPrepared = true)))
        )
  )

  const readCursor = sql<CursorRow>`select seq, file, byte_offset from follower_cursors
    where follower = ${name} and node = ${node}`.pipe(
    Effect.map(([row]): Position =>
      row === undefined ? origin : { seq: Number(row.seq), file: row.file, byteOffset: Number(row.byte_offset) }
    ),
    Effect.mapError(databaseError("read the follower's cursor")),
    within("read the follower's cursor", answer_limit)
  )

  // `seq` alone says where the cursor is: the file of a place changes its name when it is sealed.
  const moveCursor = Effect.fnUntraced(function* (from: Position, to: Position) {
    const place = { follower: name, node, seq: BigInt(to.seq), file: to.file, byte_offset: BigInt(to.byteOffset) }
    const moved =
      from.seq === origin.seq
        ? yield* sql`insert into follower_cursors ${sql.insert(place)} on conflict do nothing returning seq`
        : yield* sql`update follower_cursors
            set seq = ${place.seq}, file = ${place.file}, byte_offset = ${place.byte_offset}, updated_at = now()
            where follower = ${name} and node = ${node} and seq = ${BigInt(from.seq)} returning seq`
    if (moved.length === 0) return yield* new CursorMoved({ follower: name, node, expectedSeq: from.seq })
  })

  const isCatchingUp = (batch: ReadonlyArray<JournalRecord>) => batch.length > batchSize

  const follower: Follower<DatabaseError | CursorMoved> = {
    name,
    batchSize,
    catchUpSize,
    linger,
    durable: true,
    // A database that was made anew under us has no tables.
    cursor: Effect.tapError(Effect.andThen(prepared, readCursor), () => Effect.sync(() => void (isPrepared = false))),
    write: (batch, from, to) =>
      store(batch, node, Effect.andThen(isCatchingUp(batch) ? lateCommit : Effect.void, moveCursor(from, to))).pipe(
        Effect.mapError((error) => (isSqlError(error) ? databaseError("store a batch")(error) : error)),
        within("store a batch", answer_limit),
        Effect.asVoid
      )
  }
  return follower
})

const within =
  (operation: string, duration: string & Duration.Input) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.timeoutOrElse(self, {
      duration,
      orElse: () => Effect.fail(new DatabaseError({ operation, detail: `no answer within ${duration}` }))
    })

const migrationDetail = ({ cause, message }: MigrationError): string =>
  isSqlError(cause) ? `${message}: ${databaseError("migrate")(cause).detail}` : message
