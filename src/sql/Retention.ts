import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { MarketClock } from "../calendar/MarketClock.ts"
import { marketDate, marketMidnight } from "../calendar/MarketTime.ts"
import { moveKeptFrom } from "./KeptFrom.ts"
import { dayOfPartition, isPlausibleDay } from "./Partitions.ts"

/** What was removed: days of `pattern_records` by their partitions' or chunks' names, and rows of the other tables. */
export interface Removed {
  readonly records: ReadonlyArray<string>
  readonly errors: number
  readonly metrics: number
}

const nothing: Removed = { records: [], errors: 0, metrics: 0 }

const day_ms = 86_400_000
/** A day is dropped under a lock that readers wait for; rather than that they do so for longer, it is tried again later. */
const lock_timeout_ms = 1_000
/** Rows that one statement deletes. */
const delete_rows = 5_000

const midnightOf = (atMs: number): number => marketMidnight(marketDate(atMs))

/** Before it a date is a broken clock's. */
const plausibleFrom = new Date(marketMidnight("19900101"))

/**
 * The first instant that is kept: today and so many days before it, by the market's calendar, are whole. No clock is
 * trusted alone: today is not later than the server's, nor than the day after the newest day before it that has rows. So
 * a clock that jumps ahead drops nothing before it has recorded a day and begun the next one; where days without records
 * are between, the days before them stay a day longer. `undefined` when there are no such rows, and while a day is
 * rehearsed: the days of that clock do not pass.
 */
const keptFromMs = Effect.fnUntraced(function* (days: number, nowMs: number) {
  if ((yield* MarketClock).beginsMs !== undefined || !isPlausibleDay(marketDate(nowMs))) return undefined
  const sql = yield* SqlClient.SqlClient
  const [newest] = yield* sql<{ at: Date; server: Date }>`select received_at as at, now() as server from pattern_records
    where received_at >= ${plausibleFrom} and received_at < ${new Date(midnightOf(nowMs))}
    order by received_at desc limit 1`
  if (newest === undefined) return undefined
  const todayMs = Math.min(
    midnightOf(nowMs),
    midnightOf(newest.server.getTime()),
    midnightOf(newest.at.getTime()) + day_ms
  )
  return todayMs - days * day_ms
})

/**
 * Removes what is older than so many market days, and writes down from when on everything is kept. Whole days of
 * `pattern_records` are dropped one by one, as partitions or as a hypertable's chunks; the rows of the other tables are
 * deleted some thousands at a time.
 */
export const removeOlderThan = Effect.fn("Retention.removeOlderThan")(function* (
  days: number,
  nowMs: number
): Effect.fn.Return<Removed, SqlError, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const fromMs = yield* keptFromMs(days, nowMs)
  if (fromMs === undefined) return nothing
  const from = new Date(fromMs)

  const briefly = <A>(drop: Effect.Effect<A, SqlError>) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select set_config('lock_timeout', ${`${lock_timeout_ms}ms`}, true)`
        yield* moveKeptFrom(fromMs)
        return yield* drop
      })
    )
  const dropPartitions = Effect.gen(function* () {
    const names = yield* sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
      where inhparent = 'pattern_records'::regclass order by 1`
    const old = names
      .map(({ name }) => name)
      .filter((name) => {
        const day = dayOfPartition(name)
        return day !== undefined && marketMidnight(day) < fromMs
      })
    yield* Effect.forEach(old, (name) => briefly(sql`drop table ${sql(name)}`), { discard: true })
    return old
  })
  const dropChunks = Effect.map(
    briefly(sql<{ chunk: string }>`select drop_chunks('pattern_records', older_than => ${from}) as chunk`),
    (chunks) => chunks.map(({ chunk }) => chunk)
  )
  const deleteRows = (table: string, old: string) => {
    const some = briefly(
      sql.unsafe<{ deleted: bigint }>(
        `with old as (delete from ${table} where ctid = any(array(select ctid from ${table} where ${old} limit ${delete_rows}))
          returning 1) select count(*) as deleted from old`,
        [from]
      )
    )
    const all = (sum: number): Effect.Effect<number, SqlError, SqlClient.SqlClient> =>
      Effect.flatMap(some, ([found]) => {
        const deleted = Number(found?.deleted)
        return deleted < delete_rows ? Effect.succeed(sum + deleted) : all(sum + deleted)
      })
    return all(0)
  }

  const [table] = yield* sql<{ partitioned: boolean }>`select relkind = 'p' as partitioned from pg_class
    where oid = 'pattern_records'::regclass`
  return {
    records: yield* table?.partitioned === true ? dropPartitions : dropChunks,
    // Apart, so that each goes by the index; a row without its own time is of a line that had none to be read.
    errors:
      (yield* deleteRows("ingest_errors", "received_at < $1")) +
      (yield* deleteRows("ingest_errors", "received_at is null and created_at < $1")),
    metrics: yield* deleteRows("usage_metrics", "minute < $1")
  }
})
