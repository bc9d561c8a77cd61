import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { readFileSync } from "node:fs"
import type { GapPayload } from "../../src/domain/Gap.ts"
import { GapBook } from "../../src/journal/GapBook.ts"
import { incidentRow } from "../../src/sql/ErrorRow.ts"
import { databases, recordsOf } from "./fixtures.ts"

/** The query of `docs/gaps.md`, as it stands there. */
const query = (
  /```sql\n([^]*?);\n```/.exec(readFileSync(new URL("../../docs/gaps.md", import.meta.url), "utf8")) ?? []
)[1]

const tenMs = Date.parse("2026-11-20T01:00:00.000Z")
const minute_ms = 60_000
const gap = (from: number, to: number, cause: GapPayload["cause"], more: Partial<GapPayload> = {}) => {
  const payload: GapPayload = {
    from: new Date(tenMs + from * minute_ms).toISOString(),
    to: new Date(tenMs + to * minute_ms).toISOString(),
    cause,
    ...more
  }
  return {
    kind: "gap",
    symbol: more.symbol,
    receivedAtMs: tenMs + 900 * minute_ms,
    source: "observer",
    payload
  } as const
}
const a = { symbol: "005930" }
const list = (trades: number, volume: number, complete: boolean) => ({
  repairedBy: { source: "backfill", call: "inquire-ccnl", trades, volume, complete } as const
})
const late = (trades: number, volume: number) => ({
  repairedBy: { source: "late", trades, volume, complete: false } as const
})

const told = [
  gap(0, 5, "disconnect", a),
  gap(0, 5, "disconnect", { ...a, ...list(3, 30, true) }),
  gap(0, 5, "disconnect", { symbol: "000660", open: true }),
  gap(0, 9, "disconnect", { symbol: "000660" }),
  gap(0, 5, "disconnect", { symbol: "000660", ...list(1, 10, true) }),
  gap(20, 21, "silence", { ...a, repairedBy: "by hand" }),
  gap(100, 101, "continuity", { ...a, lostTrades: 4, lostVolume: 40 }),
  gap(100, 101, "continuity", { ...a, ...late(1, 15) }),
  gap(100, 101, "continuity", { ...a, ...late(3, 25) }),
  gap(200, 201, "continuity", { ...a, lostVolume: 900 }),
  // Over midnight, at either end, and of other days.
  gap(-700, -500, "downtime"),
  gap(800, 2_000, "diskFull"),
  gap(-900, -600, "silence", a),
  gap(840, 900, "silence", a)
]

for (const { layer: database, name } of databases) {
  layer(database, { timeout: "60 seconds" })(`the documented query on ${name}`, (it) => {
    it.effect("gives the holes that the book of the same records has", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const records = recordsOf("seoul-1", 1, told)
        for (const record of records) {
          const { detail, id, kind, reason, receivedAtMs, repair, seq, symbol } = incidentRow(record, "seoul-1")
          yield* sql`insert into ingest_errors (id, kind, reason, symbol, received_at, detail, repair, node, seq)
            values (${id}::uuid, ${kind}, ${reason}, ${symbol}, ${new Date(receivedAtMs ?? 0)}, ${JSON.stringify(detail)}::text::jsonb,
              ${repair}, 'seoul-1', ${seq})`
        }
        const rows = yield* sql.unsafe<Record<string, unknown>>(query ?? "")
        const book = new GapBook("20261120")
        for (const record of records) book.add(record)
        const keyed = (holes: ReadonlyArray<ReadonlyArray<unknown>>) =>
          holes.map((hole) => hole.map(String).join(" ")).sort()
        assert.deepStrictEqual(
          keyed(
            rows.map((row) => [
              row["cause"],
              row["symbol"] ?? "all",
              (row["began"] as Date).getTime(),
              (row["ended"] as Date).getTime(),
              row["lost_trades"],
              row["lost_shares"],
              row["found_trades"],
              row["found_shares"],
              row["filled"]
            ])
          ),
          keyed(
            book
              .holes()
              .map((hole) => [
                hole.cause,
                hole.symbol ?? "all",
                hole.fromMs,
                hole.toMs,
                hole.lostTrades,
                hole.lostShares,
                hole.foundTrades,
                hole.foundShares,
                hole.repair === "whole"
              ])
          )
        )
        assert.strictEqual(rows.length, 7)
      })
    )
  })
}
