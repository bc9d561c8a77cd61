import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { origin } from "../../src/journal/Position.ts"
import * as Database from "../../src/sql/Database.ts"
import { removeOlderThan } from "../../src/sql/Retention.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { postgresMissing, postgresServer, postgresServerWith, timescaleBinaries } from "../support/postgres.ts"
import { migrated, placeOf, recordsOf } from "./fixtures.ts"

const day_ms = 86_400_000
const noonMs = Date.UTC(2025, 10, 24, 3)

if (timescaleBinaries === undefined) {
  console.warn(
    "TimescaleDB itself is not tried here, only a stand-in: there is none beside PostgreSQL, nor a TIMESCALE_BIN"
  )
}

/** Five days of a tick each, of which the newest is today's, stored; gives the rows that are left after retention. */
const storeAndRemove = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const follower = yield* makeSqlFollower({ node: "hyper", batchSize: 1_000, linger: "1 milli", prepare: Effect.void })
  const records = recordsOf(
    "hyper",
    1,
    [4, 3, 2, 1, 0].map((days) => ({ receivedAtMs: noonMs - days * day_ms }))
  )
  yield* follower.write(records, origin, placeOf(5))
  // Again, as after a crash: the same rows are no others.
  const other = yield* makeSqlFollower({ node: "again", batchSize: 1_000, linger: "1 milli", prepare: Effect.void })
  yield* other.write(records, origin, placeOf(5))
  const partitions = yield* sql`select from pg_class where relname ~ '^pattern_records_p[0-9]{8}$'`
  const before = yield* sql<{ rows: bigint }>`select count(*) as rows from pattern_records`
  const removed = yield* removeOlderThan(2, noonMs)
  const after = yield* sql<{ seq: bigint }>`select seq from pattern_records order by seq`
  return {
    partitions: partitions.length,
    before: Number(before[0]?.rows),
    removed: removed.records.length,
    left: after.map(({ seq }) => Number(seq))
  }
})

describe.skipIf(timescaleBinaries === undefined)("TimescaleDB", () => {
  it.live("makes a new pattern_records a hypertable of a chunk a day, and drops whole chunks", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresServerWith({
        bin: timescaleBinaries ?? "",
        settings: ["shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off"]
      })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migrated
        assert.strictEqual((yield* sql`select from pg_extension where extname = 'timescaledb'`).length, 1)
        // Its days are UTC's: the chunk that the market's midnight lies in is kept.
        assert.deepStrictEqual(yield* storeAndRemove, { partitions: 0, before: 5, removed: 1, left: [2, 3, 4, 5] })
        const [dimension] = yield* sql<{ days: number }>`select extract(epoch from time_interval)::int / 86400 as days
          from timescaledb_information.dimensions where hypertable_name = 'pattern_records'`
        assert.strictEqual(dimension?.days, 1)
      }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
    })
  )

  it.live("that the server has not preloaded is left alone", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresServerWith({ bin: timescaleBinaries ?? "" })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migrated
        const kind = yield* sql`select relkind from pg_class where oid = 'pattern_records'::regclass and relkind = 'p'`
        assert.strictEqual(kind.length, 1)
      }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
    })
  )
})

/**
 * Not TimescaleDB: functions of the same names and parameters, in a schema that is looked into before the catalog, which
 * make nothing but a note, and delete rows where the real one drops chunks.
 */
const standIn = (create: string) => [
  `create schema stand_in`,
  `create view stand_in.pg_available_extensions as select 'timescaledb'::name as name, '0'::text as installed_version`,
  `create table stand_in.noted (call text)`,
  `create function stand_in.create_hypertable(relation regclass, time_column_name name,
    chunk_time_interval interval, create_default_indexes boolean) returns void language plpgsql as $$ begin ${create} end $$`,
  `create function stand_in.drop_chunks(relation regclass, older_than timestamptz) returns setof text language plpgsql as
    $$ begin return query with gone as (delete from pattern_records where received_at < older_than returning received_at::date)
       select distinct 'chunk of ' || received_at from gone; end $$`,
  `alter role postgres set search_path = stand_in, public, pg_catalog`
]

const withStandIn = <A, E>(create: string, use: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.gen(function* () {
    const { url } = yield* postgresServer
    const database = Database.layer({ _tag: "server", url })
    const prepared = Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* Effect.forEach(standIn(create), (statement) => sql.unsafe(statement), { discard: true })
    })
    yield* Effect.provide(prepared, database, { local: true })
    return yield* Effect.provide(use, database, { local: true })
  })

describe.skipIf(postgresMissing !== undefined)("a stand-in for TimescaleDB", () => {
  const note = `insert into stand_in.noted values (relation || ' ' || time_column_name || ' ' || chunk_time_interval
    || ' ' || create_default_indexes);`

  it.live("is asked for a hypertable with the keys of the partitioned table, and to drop chunks", () =>
    withStandIn(
      note,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migrated
        assert.deepStrictEqual(yield* sql`select call from stand_in.noted`, [
          { call: "pattern_records received_at 1 day false" }
        ])
        const indexes = yield* sql<{ indexdef: string }>`select indexdef from pg_indexes
          where tablename = 'pattern_records' order by indexname`
        assert.deepStrictEqual(
          indexes.map(({ indexdef }) => /\(.*\)/.exec(indexdef)?.[0]),
          ["(received_at, id)", "(symbol, received_at)"]
        )
        assert.deepStrictEqual(yield* storeAndRemove, { partitions: 0, before: 5, removed: 2, left: [3, 4, 5] })
      })
    )
  )

  it.live("that refuses leaves the table partitioned by day", () =>
    withStandIn(
      `raise exception 'no licence';`,
      Effect.gen(function* () {
        yield* migrated
        const { left, partitions } = yield* storeAndRemove
        assert.deepStrictEqual({ left, partitions }, { left: [3, 4, 5], partitions: 6 })
      })
    )
  )
})
