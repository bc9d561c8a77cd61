import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { MinuteMarker } from "../../src/domain/MinuteMarker.ts"
import { makeRecordStore } from "../../src/sql/RecordStore.ts"
import { databases, recordsOf } from "./fixtures.ts"

const minute = "2025-11-24T00:01:00.000Z"
const nothing = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0 }

const payloadOf = (changes: Partial<MinuteMarker> = {}): MinuteMarker => ({
  event: "minute",
  minute,
  since: "2025-11-24T00:00:00.000Z",
  sources: { "kis-ws": { received: 10, stored: 6, rejected: 1, deduplicated: 2, inFlight: 1 } },
  calls: { first: { answered: 17, refused: 1 }, second: { answered: 4, refused: 0 } },
  tokens: 2,
  frames: 5,
  bytes: 4_000,
  lag_seconds: 0.5,
  ...changes
})
const markerOf = (payload: object) => ({ kind: "marker", symbol: undefined, source: "observer", payload }) as const

const rowsOf = Effect.fnUntraced(function* (node: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<
    Record<string, unknown>
  >`select * from usage_metrics where node = ${node} order by seq, source`
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value])
    )
  )
})

const store = Effect.fnUntraced(function* (node: string, ...drafts: Parameters<typeof recordsOf>[2]) {
  const { store } = yield* makeRecordStore
  return yield* store(recordsOf(node, 1, drafts), node, Effect.void)
})

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(
    `usage_metrics on ${database.name}`,
    (it) => {
      it.effect("has a row for every source of a minute, with what was spent on it", () =>
        Effect.gen(function* () {
          yield* store("spent", markerOf(payloadOf({ remainder: { "kis-ws": -3 } })))
          const common = { minute: new Date(minute), node: "spent", seq: 1, lag_seconds: 0.5 }
          assert.deepStrictEqual(yield* rowsOf("spent"), [
            {
              ...common,
              source: "kis-rest",
              received: 0,
              records: 0,
              rejected: 0,
              deduplicated: 0,
              in_flight: 0,
              remainder: 0,
              calls: 22,
              refused: 1,
              tokens: 2,
              frames: 0,
              bytes: 0
            },
            {
              ...common,
              source: "kis-ws",
              received: 10,
              records: 6,
              rejected: 1,
              deduplicated: 2,
              in_flight: 1,
              remainder: -3,
              calls: 0,
              refused: 0,
              tokens: 0,
              frames: 5,
              bytes: 4_000
            }
          ])
        })
      )

      it.effect("knows no lag where the marker tells none, and no row of what was not spent", () =>
        Effect.gen(function* () {
          const { lag_seconds: _, ...payload } = payloadOf({ calls: {}, tokens: 0, frames: 0, bytes: 0 })
          yield* store("idle", markerOf({ ...payload, sources: { backfill: nothing } }))
          assert.deepStrictEqual(
            (yield* rowsOf("idle")).map(({ lag_seconds, source }) => [source, lag_seconds]),
            [["backfill", null]]
          )
        })
      )

      it.effect("holds each part of a minute once, however often it is stored, and beside rows that are refused", () =>
        Effect.gen(function* () {
          const parts = [markerOf(payloadOf()), { payload: ["\u0000"] }, markerOf(payloadOf()), {}]
          for (let times = 0; times < 2; times++) yield* store("twice", ...parts)
          const sum = (rows: ReadonlyArray<Record<string, unknown>>) =>
            rows.reduce((total, { received }) => total + Number(received), 0)
          const rows = yield* rowsOf("twice")
          assert.deepStrictEqual([rows.length, sum(rows)], [4, 20])
        })
      )

      it.effect("takes nothing from a marker that is not one of a minute, and holds up nothing for it", () =>
        Effect.gen(function* () {
          const stored = yield* store(
            "strange",
            markerOf({ event: "start" }),
            markerOf({ ...payloadOf(), minute: "yesterday" }),
            markerOf({ ...payloadOf(), tokens: 1.5 }),
            markerOf({ ...payloadOf(), sources: { "kis-ws": { received: 1e300 } } }),
            markerOf(["minute"]),
            {}
          )
          assert.strictEqual(stored.inserted, 1)
          assert.deepStrictEqual(yield* rowsOf("strange"), [])
        })
      )
    }
  )
}
