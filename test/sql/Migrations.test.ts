import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../../src/sql/Database.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"
import { databases, migrated } from "./fixtures.ts"

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
          ('pattern_records', 'ingest_errors', 'usage_metrics', 'follower_cursors') group by table_name order by 1`
          assert.deepStrictEqual(
            rows.map(({ line }) => line),
            [
              "follower_cursors: follower node seq file byte_offset updated_at",
              "ingest_errors: id kind reason symbol received_at raw detail repair node seq created_at",
              "pattern_records: id symbol kind received_at exchange_at phase price volume cum_volume payload_raw quality ingest_source node seq created_at",
              "usage_metrics: minute node source calls tokens frames records rejected deduplicated lag_seconds bytes"
            ]
          )
        })
      )
    }
  )
}

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
