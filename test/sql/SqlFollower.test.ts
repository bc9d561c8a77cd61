import { assert, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import { origin } from "../../src/journal/Position.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { databases, dayStartMs, migrated, placeOf, recordsOf } from "./fixtures.ts"

const followerOf = (node: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const prepare = Effect.asVoid(migrated).pipe(Effect.provideService(SqlClient.SqlClient, sql))
    return yield* makeSqlFollower({ node, batchSize: 1_000, linger: "50 millis", prepare })
  })

const seqsOf = (node: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ seq: bigint }>`select seq from pattern_records where node = ${node} order by seq`
    return rows.map((row) => Number(row.seq))
  })

const errorsOf = (node: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{
      kind: string
      reason: string
      symbol: string | null
      raw: string | null
      detail: Record<string, unknown> | null
      repair: string | null
      seq: bigint
    }>`select kind, reason, symbol, raw, detail, repair, seq from ingest_errors where node = ${node} order by seq`
  })

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(
    `the SQL follower on ${database.name}`,
    (it) => {
      it.effect("stores a record's every column and moves its cursor with it", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const follower = yield* followerOf("columns")
          assert.deepStrictEqual(yield* follower.cursor, origin)
          const batch = recordsOf("columns", 1, [
            {
              kind: "index",
              symbol: "0001",
              exchangeAtMs: dayStartMs - 1_000,
              phase: "continuous",
              price: 2_612.35,
              volume: 9_007_199_254_740_991,
              source: "kis-rest",
              quality: { flags: ["late"], lagMs: 12 },
              payload: { bstp_nmix_prpr: "2612.35", deep: ["값", 1, null] }
            },
            { kind: "quote", price: undefined, volume: undefined, cumVolume: undefined, quality: undefined }
          ])
          yield* follower.write(batch, origin, placeOf(2))
          assert.deepStrictEqual(yield* follower.cursor, placeOf(2))
          const [index, quote] = yield* sql<
            Record<string, unknown>
          >`select id, symbol, kind, received_at, exchange_at, phase,
          price, volume, cum_volume, payload_raw, quality, ingest_source, node, seq from pattern_records
          where node = 'columns' order by seq`
          assert.deepStrictEqual(index, {
            id: batch[0]?.id,
            symbol: "0001",
            kind: "index",
            received_at: new Date(dayStartMs + 1),
            exchange_at: new Date(dayStartMs - 1_000),
            phase: "continuous",
            price: 2_612.35,
            volume: 9_007_199_254_740_991n,
            cum_volume: 1_000n,
            payload_raw: { bstp_nmix_prpr: "2612.35", deep: ["값", 1, null] },
            quality: { flags: ["late"], lagMs: 12 },
            ingest_source: "kis-rest",
            node: "columns",
            seq: 1n
          })
          assert.deepStrictEqual(
            [quote?.["price"], quote?.["volume"], quote?.["cum_volume"], quote?.["quality"], quote?.["exchange_at"]],
            [null, null, null, null, null]
          )
        })
      )

      it.effect("puts gaps and rejects into ingest_errors and leaves markers out", () =>
        Effect.gen(function* () {
          const follower = yield* followerOf("incidents")
          const gap = { from: "a", to: "b", cause: "disconnect", repairedBy: "backfill" }
          const batch = recordsOf("incidents", 1, [
            { kind: "marker", symbol: undefined, payload: { event: "start" } },
            { kind: "gap", payload: gap },
            { kind: "reject", payload: { reason: "frameShape", raw: "0|H0STCNT0|00\u00001|x\ud800" } },
            { kind: "gap", payload: { ...gap, repairedBy: { source: "backfill", trades: 3 } } },
            {}
          ])
          yield* follower.write(batch, origin, placeOf(5))
          assert.deepStrictEqual(yield* seqsOf("incidents"), [5])
          const rows = yield* errorsOf("incidents")
          assert.deepStrictEqual(
            rows.map(({ kind, raw, reason, repair, seq }) => [kind, reason, raw, repair, seq]),
            [
              ["gap", "disconnect", null, "backfill", 2n],
              ["reject", "frameShape", "0|H0STCNT0|00\u24001|x\ufffd", null, 3n],
              ["gap", "disconnect", null, '{"source":"backfill","trades":3}', 4n]
            ]
          )
          assert.deepStrictEqual(rows[0]?.detail, gap)
        })
      )

      it.effect("sets refused rows aside with the server's words and stores the rest", () =>
        Effect.gen(function* () {
          const follower = yield* followerOf("poison")
          const batch = recordsOf(
            "poison",
            1,
            Array.from({ length: 100 }, (_, index) =>
              index === 10
                ? { payload: ["nul \u0000 inside"] }
                : index === 11
                  ? { volume: 1e30 }
                  : index === 70
                    ? { symbol: "00\u00005" }
                    : index === 99
                      ? { receivedAtMs: Date.UTC(1970, 0, 1) }
                      : {}
            )
          )
          yield* follower.write(batch, origin, placeOf(100))
          const refused = [11, 12, 71, 100]
          assert.deepStrictEqual(
            yield* seqsOf("poison"),
            batch.map(({ seq }) => seq).filter((seq) => !refused.includes(seq))
          )
          const rows = yield* errorsOf("poison")
          assert.deepStrictEqual(
            rows.map(({ detail, kind, seq }) => [Number(seq), kind, detail?.["code"]]),
            [
              [11, "failure", "22P05"],
              [12, "failure", "encoder"],
              [71, "failure", "22021"],
              [100, "failure", "23514"]
            ]
          )
          assert.include(String(rows[0]?.detail?.["message"]), "unsupported Unicode escape sequence")
          assert.deepStrictEqual(JSON.parse(rows[0]?.raw ?? "").payload, ["nul \u0000 inside"])
          assert.strictEqual(rows[2]?.symbol, "00\u24005")
          assert.deepStrictEqual(yield* follower.cursor, placeOf(100))
        })
      )

      it.effect("makes a partition again that was dropped behind its back", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const follower = yield* followerOf("dropped")
          const day = Date.UTC(2024, 4, 2, 3)
          yield* follower.write(recordsOf("dropped", 1, [{ receivedAtMs: day }]), origin, placeOf(1))
          yield* sql`drop table pattern_records_p20240502`
          yield* follower.write(recordsOf("dropped", 2, [{ receivedAtMs: day }]), placeOf(1), placeOf(2))
          assert.deepStrictEqual(yield* seqsOf("dropped"), [2])
          assert.deepStrictEqual(yield* errorsOf("dropped"), [])
        })
      )

      it.effect("fails when the cursor was moved by another follower, and writes nothing", () =>
        Effect.gen(function* () {
          const mine = yield* followerOf("twins")
          const other = yield* followerOf("twins")
          yield* other.write(recordsOf("twins", 1, [{}, {}]), origin, placeOf(2))
          const first = yield* Effect.exit(mine.write(recordsOf("twins", 1, [{}, {}, {}]), origin, placeOf(3)))
          assert.isTrue(Exit.isFailure(first) && JSON.stringify(first).includes("CursorMoved"))
          yield* mine.write(recordsOf("twins", 3, [{}]), placeOf(2), placeOf(3))
          const later = yield* Effect.flip(other.write(recordsOf("twins", 3, [{}, {}]), placeOf(2), placeOf(4)))
          assert.strictEqual(later._tag, "CursorMoved")
          assert.deepStrictEqual(yield* seqsOf("twins"), [1, 2, 3])
          assert.deepStrictEqual(yield* mine.cursor, placeOf(3))
        })
      )

      it.effect("keeps the whole batch when the fault is the table's and not a row's", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const follower = yield* followerOf("state")
          yield* follower.cursor
          yield* sql`alter table ingest_errors rename to elsewhere`
          const batch = recordsOf("state", 1, [{}, { kind: "gap", payload: { cause: "silence" } }])
          const error = yield* Effect.flip(follower.write(batch, origin, placeOf(2))).pipe(
            Effect.ensuring(Effect.orDie(sql`alter table elsewhere rename to ingest_errors`))
          )
          assert.strictEqual(error._tag, "DatabaseError")
          assert.include(error.message, "ingest_errors")
          assert.deepStrictEqual(yield* seqsOf("state"), [])
          assert.deepStrictEqual(yield* follower.cursor, origin)
          yield* follower.write(batch, origin, placeOf(2))
          assert.deepStrictEqual(yield* seqsOf("state"), [1])
        })
      )
    }
  )
}
