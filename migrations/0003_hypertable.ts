import { Effect } from "effect"
import { SqlClient } from "effect/sql"

interface Available {
  readonly installed: string | null
}

/**
 * Where TimescaleDB is, a `pattern_records` without rows becomes a hypertable, of which a chunk is a day; one that has rows
 * keeps its partitions. An extension that is not preloaded would end the session that asks for it, and one that the role
 * may not create is done without.
 */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [extension] = yield* sql<Available>`select installed_version as installed from pg_available_extensions
    where name = 'timescaledb'
      and (installed_version is not null or current_setting('shared_preload_libraries') ~ '\\mtimescaledb\\M')`
  if (extension === undefined) return
  const rows = yield* sql`select from pattern_records limit 1`
  if (rows.length > 0) return
  const convert = Effect.gen(function* () {
    if (extension.installed === null) yield* sql`create extension timescaledb`
    yield* sql`create table new_records (like pattern_records including defaults including constraints)`
    yield* sql`drop table pattern_records`
    yield* sql`alter table new_records rename to pattern_records`
    yield* sql`alter table pattern_records add primary key (received_at, id)`
    yield* sql`create index pattern_records_symbol on pattern_records (symbol, received_at)`
    yield* sql`select create_hypertable('pattern_records', 'received_at',
      chunk_time_interval => interval '1 day', create_default_indexes => false)`
  })
  yield* sql.withTransaction(convert).pipe(
    Effect.catchIf(
      (error) => !error.isRetryable,
      (error) =>
        Effect.logInfo("TimescaleDB is there, but pattern_records stays partitioned by day", {
          reason: String(error.reason.cause)
        })
    )
  )
})
