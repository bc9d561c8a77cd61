import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../src/sql/Database.ts"
import { readKeptFrom } from "../../src/sql/KeptFrom.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"
import { databases, migrated, migratedTo } from "./fixtures.ts"

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(
    `migrations on ${database.name}`,
    (it) => {
      it.effect("find nothing to do the second time", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* migrated, [])
        })
      )

      it.effect("leave every table with the columns the design names", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const rows = yield* sql<{ line: string }>`select table_name || ': ' || string_agg(column_name, ' '
          order by ordinal_position) as line from information_schema.columns where table_name in
          ('pattern_records', 'ingest_errors', 'usage_metrics', 'follower_cursors', 'record_retention') group by table_name order by 1`
          assert.deepStrictEqual(
            rows.map(({ line }) => line),
            [
              "follower_cursors: follower node seq file byte_offset updated_at",
              "ingest_errors: id kind reason symbol received_at raw detail repair node seq created_at",
              "pattern_records: id symbol kind received_at exchange_at phase price volume cum_volume payload_raw quality ingest_source node seq created_at",
              "record_retention: is_only kept_from",
              "usage_metrics: minute node source calls tokens frames records rejected deduplicated lag_seconds bytes received in_flight remainder refused seq"
            ]
          )
        })
      )
    }
  )
}

describe.skipIf(postgresMissing !== undefined)("a database of an older version", () => {
  it.live("keeps what it holds when it is brought to the newest", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresServer
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migratedTo(2)
        assert.isUndefined(yield* readKeptFrom)
        const minute = new Date("2025-11-24T00:01:00Z")
        yield* sql`insert into usage_metrics (minute, node, source, records) values (${minute}, 'n', 'kis-ws', 7)`
        assert.isAbove((yield* migrated).length, 0)
        const told = { minute, node: "n", source: "kis-ws", seq: 5n, records: 2n }
        yield* sql`insert into usage_metrics ${sql.insert(told)}`
        const rows = yield* sql`select seq, records, received, remainder from usage_metrics order by seq`
        assert.deepStrictEqual(rows, [
          { seq: 0n, records: 7n, received: 0n, remainder: 0n },
          { seq: 5n, records: 2n, received: 0n, remainder: 0n }
        ])
        assert.isUndefined(yield* readKeptFrom)
      }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
    })
  )
})

describe.skipIf(postgresMissing !== undefined)("migrations of several processes", () => {
  it.live("run once and succeed for all when started together", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresServer
      const one = Effect.provide(migrated, Database.layer({ _tag: "server", url }), { local: true })
      const ran = yield* Effect.all([one, one, one, one], { concurrency: "unbounded" })
      assert.strictEqual(ran.filter((names) => names.length > 0).length, 1)
    })
  )
})
