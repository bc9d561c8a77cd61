import type * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { isDataKind, type JournalRecord } from "../domain/JournalRecord.ts"
import { type Refusal, refusalOf } from "./DatabaseError.ts"
import { type ErrorRow, failureRow, incidentRow } from "./ErrorRow.ts"
import { makePartitions } from "./Partitions.ts"
import { columnArrays, errorTable, recordTable, type Table } from "./Rows.ts"
import { usageRows, usageTable } from "./UsageRow.ts"

/** What became of a batch. A row is `present` when an earlier run had stored it. */
export interface Stored {
  readonly inserted: number
  readonly present: number
  /** Gaps and rejects newly written to `ingest_errors`. */
  readonly incidents: number
  /** Rows the server would not take, which are in `ingest_errors` with its words. */
  readonly refused: number
}

/** Writes journal records to SQL; the follower and the replay are both this and nothing else. */
export interface RecordStore {
  /**
   * Stores a batch of one node in one transaction, together with `alongside`: all of it or nothing. Storing a record again
   * changes nothing. A row the server refuses is found by halving and set aside. Fails only for the connection or the state
   * of the server, or as `alongside` does.
   */
  store<E>(
    batch: ReadonlyArray<JournalRecord>,
    node: string,
    alongside: Effect.Effect<void, E>
  ): Effect.Effect<Stored, SqlError | E>
  /**
   * For `alongside`: the transaction is committed without waiting for the server's disk. A server that loses its power may
   * lose the newest of such transactions, each with the cursor that it moved, and so is given their records again.
   */
  readonly lateCommit: Effect.Effect<void, SqlError>
}

type Outcome = Pick<Stored, "inserted" | "refused">

const nothing: Outcome = { inserted: 0, refused: 0 }
const plus = (left: Outcome, right: Outcome): Outcome => ({
  inserted: left.inserted + right.inserted,
  refused: left.refused + right.refused
})

/** Rows of one statement; a longer one takes more time a row, as its arrays leave the processor's caches. */
const statement_rows = 500

const slices = <A>(rows: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(rows.length / statement_rows) }, (_, index) =>
    rows.slice(index * statement_rows, (index + 1) * statement_rows)
  )

export const makeRecordStore = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const partitions = yield* makePartitions

  /** Whether the newest batch had rows that were there; then the next one, of the same replay, is likely to have some too. */
  let arePresent = false

  const insert = <Row>(
    table: Table<Row>,
    rows: ReadonlyArray<Row>,
    node: string,
    statement: string
  ): Effect.Effect<number, SqlError> =>
    rows.length === 0
      ? Effect.succeed(0)
      : Effect.map(
          sql.unsafe(statement, columnArrays(table, rows, node)).raw,
          (result) => (result as PgConnection.Result).rowCount
        )

  const insertKeeping = <Row>(table: Table<Row>, rows: ReadonlyArray<Row>, node: string) =>
    Effect.reduce(
      slices(rows),
      () => 0,
      (sum, slice) => Effect.map(insert(table, slice, node, table.insert), (count) => sum + count)
    )

  const insertErrors = (rows: ReadonlyArray<ErrorRow>, node: string) => insertKeeping(errorTable, rows, node)

  const insertAll = (rows: ReadonlyArray<JournalRecord>, node: string): Effect.Effect<Outcome, SqlError> =>
    Effect.map(insert(recordTable, rows, node, recordTable.insert), (inserted) => ({ inserted, refused: 0 }))

  const insertNew: typeof insertAll = (rows, node) =>
    Effect.map(insert(recordTable, rows, node, recordTable.insertNew), (inserted) => ({ inserted, refused: 0 }))

  const setAside = (record: JournalRecord, node: string, refusal: Refusal) =>
    Effect.as(insertErrors([failureRow(record, node, refusal)], node), plus(nothing, { inserted: 0, refused: 1 }))

  /** Halves the rows, each half behind a savepoint, until what is refused is one row. */
  const bisect = (rows: ReadonlyArray<JournalRecord>, node: string): Effect.Effect<Outcome, SqlError> =>
    sql.withTransaction(insertAll(rows, node)).pipe(
      Effect.catch((error) => {
        const refusal = refusalOf(error)
        const [only] = rows
        if (refusal === undefined || only === undefined) return Effect.fail(error)
        if (rows.length === 1) return setAside(only, node, refusal)
        const middle = rows.length >> 1
        return Effect.zipWith(bisect(rows.slice(0, middle), node), bisect(rows.slice(middle), node), plus)
      })
    )

  const inSlices = (write: typeof insertAll, rows: ReadonlyArray<JournalRecord>, node: string) =>
    Effect.reduce(
      slices(rows),
      () => nothing,
      (sum, slice) => Effect.map(write(slice, node), (outcome) => plus(sum, outcome))
    )

  const store: RecordStore["store"] = (batch, node, alongside) => {
    const data = batch.filter((record) => isDataKind(record.kind))
    const incidents = batch
      .filter((record) => record.kind === "gap" || record.kind === "reject")
      .map((record) => incidentRow(record, node))
    const usage = batch.flatMap(usageRows)
    const ensured = partitions.ensure(data.map((record) => Date.parse(record.receivedAt)))
    const transaction = (write: Effect.Effect<Outcome, SqlError>) =>
      sql.withTransaction(
        Effect.gen(function* () {
          yield* alongside
          const { inserted, refused } = yield* write
          const written = yield* insertErrors(incidents, node)
          yield* insertKeeping(usageTable, usage, node)
          return { inserted, refused, present: data.length - inserted - refused, incidents: written }
        })
      )
    return Effect.andThen(ensured, transaction(inSlices(arePresent ? insertAll : insertNew, data, node))).pipe(
      Effect.catchIf(
        (error) => isRefused(error),
        () => partitions.forget.pipe(Effect.andThen(ensured), Effect.andThen(transaction(inSlices(bisect, data, node))))
      ),
      Effect.tap(({ present }) => Effect.sync(() => void (arePresent = present > 0)))
    )
  }
  const lateCommit = Effect.asVoid(sql`set local synchronous_commit = off`)
  return { store, lateCommit } satisfies RecordStore
})

const isRefused = (error: unknown): boolean => isSqlError(error) && refusalOf(error) !== undefined
