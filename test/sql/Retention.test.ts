import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { origin } from "../../src/journal/Position.ts"
import * as Database from "../../src/sql/Database.ts"
import { readKeptFrom } from "../../src/sql/KeptFrom.ts"
import { removeOlderThan } from "../../src/sql/Retention.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"
import { databases, migrated, placeOf, recordsOf } from "./fixtures.ts"

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
/** The market's midnight of 24 November 2025, and noon of that day. */
const midnightMs = Date.UTC(2025, 10, 23, 15)
const nowMs = midnightMs + 12 * hour_ms

/** A trade at the first and the last millisecond of each of some days before today, and a gap beside each. */
const filled = (node: string, daysBefore: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const follower = yield* makeSqlFollower({ node, batchSize: 1_000, linger: "1 milli", prepare: Effect.void })
    const drafts = daysBefore
      .toSorted((a, b) => b - a)
      .flatMap((days) => [midnightMs - days * day_ms, midnightMs - (days - 1) * day_ms - 1])
      .flatMap((receivedAtMs) => [
        { receivedAtMs },
        { receivedAtMs, kind: "gap" as const, payload: { cause: "silence" } }
      ])
    yield* follower.write(recordsOf(node, 1, drafts), origin, placeOf(drafts.length))
  })

const oldest = (table: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [found] = yield* sql.unsafe<{ at: Date; rows: bigint }>(
      `select min(received_at) as at, count(*) as rows from ${table}`
    )
    return [found?.at.getTime(), Number(found?.rows)]
  })

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(`retention on ${database.name}`, (it) => {
    it.effect("removes days that are over, whole, and never today's or one of those to keep", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* filled("kept", [0, 1, 2, 3, 40])
        yield* sql`create table pattern_records_archive (like pattern_records)`
        yield* sql`insert into usage_metrics (minute, node, source)
          select generate_series(${new Date(midnightMs - 2 * day_ms - 60_000)}::timestamptz, ${new Date(midnightMs)}, '1 hour'),
            'kept', 'kis-ws'`
        const removed = yield* removeOlderThan(2, nowMs)
        assert.deepStrictEqual(removed, {
          records: ["pattern_records_p20251015", "pattern_records_p20251121"],
          errors: 4,
          metrics: 1
        })
        assert.deepStrictEqual(yield* oldest("pattern_records"), [midnightMs - 2 * day_ms, 6])
        assert.deepStrictEqual(yield* oldest("ingest_errors"), [midnightMs - 2 * day_ms, 6])
        assert.deepStrictEqual(yield* removeOlderThan(2, nowMs), { records: [], errors: 0, metrics: 0 })
        assert.deepStrictEqual((yield* removeOlderThan(0, nowMs)).records, [
          "pattern_records_p20251122",
          "pattern_records_p20251123"
        ])
        assert.deepStrictEqual(yield* oldest("pattern_records"), [midnightMs, 2])
      })
    )

    it.effect("deletes the rows of the other tables some thousands at a time, to the last", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const minutes = 12_345
        yield* sql`insert into usage_metrics (minute, node, source)
          select ${new Date(midnightMs)}::timestamptz - n * interval '1 minute', 'many', 'kis-ws'
          from generate_series(1, ${minutes}) n`
        yield* filled("many", [1])
        assert.strictEqual((yield* removeOlderThan(0, nowMs)).metrics, minutes)
      })
    )

    it.effect("trusts no clock alone: a rehearsed day and one that jumps ahead remove nothing", () =>
      Effect.gen(function* () {
        const removeAt = (atMs: number) => Effect.map(removeOlderThan(1, atMs), ({ records }) => records)
        yield* filled("clocks", [0, 1, 2, 3])
        yield* removeOlderThan(3, nowMs)
        const before = yield* oldest("pattern_records")
        const line = { wallMs: nowMs, marketMs: nowMs + 400 * day_ms, speed: 1 }
        const whileRehearsed = Effect.provideService(removeAt(nowMs), MarketClock, rehearsed(line))
        assert.deepStrictEqual(yield* whileRehearsed, [])
        // A clock that is wrong by months, at first without and then with rows of its day.
        const jumpedMs = nowMs + 200 * day_ms
        yield* removeOlderThan(4, jumpedMs)
        yield* filled("jumped", [-200])
        yield* removeOlderThan(4, jumpedMs)
        assert.deepStrictEqual(yield* oldest("pattern_records"), [before[0], Number(before[1]) + 2])
        // No server's clock is there yet.
        yield* filled("far", [-30_000])
        yield* removeOlderThan(4, nowMs + 30_001 * day_ms)
        yield* removeOlderThan(4, nowMs + 80_000 * day_ms)
        assert.strictEqual((yield* oldest("pattern_records"))[0], before[0])
        const sql = yield* SqlClient.SqlClient
        yield* sql`delete from pattern_records where node in ('jumped', 'far')`
        assert.deepStrictEqual(yield* removeAt(nowMs), ["pattern_records_p20251121", "pattern_records_p20251122"])
      })
    )

    it.effect("writes down from when on everything is kept, with what it removes, and never sets it back", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`delete from record_retention`
        assert.isUndefined(yield* readKeptFrom)
        yield* filled("noted", [0, 1, 2, 3])
        yield* sql`insert into ingest_errors (id, kind, reason, node, seq, created_at)
          values (gen_random_uuid(), 'failure', 'refusedBySql', 'noted', 99, ${new Date(midnightMs - 3 * day_ms)})`
        assert.strictEqual((yield* removeOlderThan(2, nowMs)).errors, 3)
        assert.strictEqual(yield* readKeptFrom, midnightMs - 2 * day_ms)
        yield* removeOlderThan(1, nowMs)
        assert.strictEqual(yield* readKeptFrom, midnightMs - day_ms)
        yield* removeOlderThan(9, nowMs)
        assert.strictEqual(yield* readKeptFrom, midnightMs - day_ms)
      })
    )

    it.effect("leaves room for a dropped day to be put back by a replay", () =>
      Effect.gen(function* () {
        yield* filled("back", [1, 5])
        yield* removeOlderThan(1, nowMs)
        yield* filled("back again", [5])
        const again = yield* removeOlderThan(1, nowMs)
        assert.deepStrictEqual(again.records, ["pattern_records_p20251119", "pattern_records_p20251120"])
        assert.strictEqual(again.errors, 2)
      })
    )
  })
}

describe.skipIf(postgresMissing !== undefined)("retention beside readers", () => {
  it.live("gives up on a day that is being read, and lets other readers pass", () =>
    Effect.gen(function* () {
      const { url } = yield* postgresServer
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* migrated
        yield* filled("read", [0, 1, 5])
        const isReading = yield* Deferred.make<void>()
        const isRead = yield* Deferred.make<void>()
        const reader = yield* sql
          .withTransaction(
            sql`select * from pattern_records`.pipe(
              Effect.andThen(Deferred.succeed(isReading, undefined)),
              Effect.andThen(Deferred.await(isRead))
            )
          )
          .pipe(Effect.forkChild)
        yield* Deferred.await(isReading)
        const refused = yield* Effect.flip(removeOlderThan(1, nowMs))
        assert.include(String(refused.reason.cause), "lock timeout")
        assert.deepStrictEqual(yield* oldest("pattern_records"), [midnightMs - 5 * day_ms, 6])
        yield* Deferred.succeed(isRead, undefined)
        yield* Fiber.join(reader)
        assert.deepInclude(yield* removeOlderThan(1, nowMs), { records: ["pattern_records_p20251119"] })
      }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
    })
  )
})
