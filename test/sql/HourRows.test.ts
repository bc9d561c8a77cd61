import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { VerifyReport } from "../../src/journal/Verify.ts"
import { makeRowCount } from "../../src/ops/certificate/rowCount.ts"
import { rowsText } from "../../src/ops/verifyText.ts"
import { countRows, followedSeqs, hasTables, makeHourCount } from "../../src/sql/HourRows.ts"
import { moveKeptFrom } from "../../src/sql/KeptFrom.ts"
import { replay } from "../../src/sql/Replay.ts"
import { rowProblems } from "../../src/sql/rowProblems.ts"
import { databases, recordsOf } from "./fixtures.ts"

const hour_ms = 3_600_000
const none = { rows: 0, incidents: 0 }
const dayMs = Date.UTC(2025, 10, 24)

/** 300 records over three hours of 100, the fifth of which a server refuses; a gap and a reject ride along. */
const recordsFor = (node: string) =>
  recordsOf(node, 1, [
    ...Array.from({ length: 300 }, (_, index) => ({
      receivedAtMs: Date.UTC(2025, 10, 24) + Math.floor(index / 100) * hour_ms + index,
      ...(index === 4 ? { payload: ["\u0000"] } : {})
    })),
    { kind: "gap" as const, receivedAtMs: Date.UTC(2025, 10, 24, 2, 30), payload: { cause: "silence" } },
    { kind: "reject" as const, receivedAtMs: Date.UTC(2025, 10, 24, 2, 31), payload: { reason: "zeroPrice", raw: "" } }
  ])

const store = (node: string) => {
  const records = recordsFor(node)
  const chunks = Stream.fromIterable([{ node, file: "file", records, bytes: 1 }])
  return Effect.as(replay({ chunks, range: "*-*", onProgress: () => Effect.void }), records)
}

const compared = Effect.fnUntraced(function* (
  node: string,
  records: ReadonlyArray<ReturnType<typeof recordsFor>[number]>,
  last = 302
) {
  const followed = yield* followedSeqs
  const count = makeHourCount(followed)
  for (const record of records) count.see(record, node)
  const rows = yield* countRows(count, [{ node, first: 1, last }], followed)
  return { ...rows, waiting: count.waiting() }
})

/** The rows of a certificate. */
const certified = Effect.fnUntraced(function* (node: string, records: ReturnType<typeof recordsFor>) {
  const counted = yield* makeRowCount
  for (const record of records) counted.see(record, node)
  return yield* counted.result({ stretches: [{ node, first: 1, last: 400 }] } as unknown as VerifyReport)
})

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(
    `rows by the hour on ${database.name}`,
    (it) => {
      it.effect("are those of the lines once all is stored, refused ones told apart", () =>
        Effect.gen(function* () {
          assert.isTrue(yield* hasTables)
          const { hours } = yield* compared("equal", yield* store("equal"))
          assert.deepStrictEqual(
            hours.map(({ hour, incidentLines, incidentRows, lines, refused, rows }) => [
              hour,
              lines,
              rows,
              refused,
              incidentLines,
              incidentRows
            ]),
            [
              ["2025-11-24T00:00:00.000Z", 100, 99, 1, 0, 0],
              ["2025-11-24T01:00:00.000Z", 100, 100, 0, 0, 0],
              ["2025-11-24T02:00:00.000Z", 100, 100, 0, 2, 2]
            ]
          )
          assert.deepStrictEqual(rowProblems(hours), [])
          const day = yield* certified("equal", recordsFor("equal"))
          assert.deepInclude(day, {
            lines: 300,
            rows: 299,
            refused: 1,
            incidentLines: 2,
            incidentRows: 2,
            differing_hours: 0,
            waiting: 0,
            missing: none,
            surplus: none
          })
        })
      )

      it.effect("are named where they are too few, too many, or somebody removed a gap", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const records = yield* store("other")
          yield* sql`delete from pattern_records where node = 'other' and seq in (7, 8)`
          yield* sql`delete from ingest_errors where node = 'other' and kind = 'gap'`
          const { hours } = yield* compared(
            "other",
            records.filter(({ seq }) => seq !== 150)
          )
          assert.deepStrictEqual(rowProblems(hours), [
            {
              kind: "rows",
              file: "2025/11/24/09",
              problem: "other has 100 lines and 97 rows (1 refused), difference 2",
              remedy: "observer replay --from 2025-11-24 --to 2025-11-24"
            },
            {
              kind: "rows",
              file: "2025/11/24/10",
              problem: "other has 99 lines and 100 rows, difference -1",
              remedy: "restore the file that held their lines from a backup, or remove the rows that are nobody's"
            },
            {
              kind: "rows",
              file: "2025/11/24/11",
              problem: "other has 2 gaps and rejects in lines and 1 in rows, difference 1",
              remedy: "observer replay --from 2025-11-24 --to 2025-11-24"
            }
          ])
        })
      )

      it.effect("are not made even by others that are too many, nor by the data when gaps are missing", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const records = yield* store("apart")
          yield* sql`delete from pattern_records where node = 'apart' and seq in (107, 108)`
          yield* sql`delete from ingest_errors where node = 'apart' and kind = 'reject'`
          const fewer = records.filter(({ seq }) => seq !== 50 && seq !== 51)
          const day = yield* certified("apart", fewer)
          assert.deepInclude(day, { missing: { rows: 2, incidents: 1 }, surplus: { rows: 2, incidents: 0 } })
          assert.match(rowsText((yield* compared("apart", fewer)).hours)[0] ?? "", /in 3 hours, 0 of them equal$/)
        })
      )

      it.effect("are not equal when there are as many, of other records", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const records = yield* store("foreign")
          yield* sql`update pattern_records set received_at = received_at + interval '7 ms'
            where node = 'foreign' and seq = 120`
          assert.deepStrictEqual(rowProblems((yield* compared("foreign", records)).hours), [
            {
              kind: "rows",
              file: "2025/11/24/10",
              problem: "foreign has 100 lines and as many rows, of which some are of other records",
              remedy: "observer replay --from 2025-11-24 --to 2025-11-24"
            }
          ])
          assert.deepInclude(yield* certified("foreign", records), { differing_hours: 1, missing: none, surplus: none })
        })
      )

      it.effect("of hours between those of the lines are found, however far these lie apart", () =>
        Effect.gen(function* () {
          const at = (hour: number) => ({ receivedAtMs: dayMs + hour * hour_ms })
          const records = recordsOf("far", 1, [{ receivedAtMs: 0 }, at(-50), at(-49), at(-20), at(0)])
          const chunks = Stream.make({ node: "far", file: "file", records, bytes: 1 })
          yield* replay({ chunks, range: "far", onProgress: () => Effect.void })
          const { hours } = yield* compared(
            "far",
            [records[0], records[4]].flatMap((record) => record ?? []),
            5
          )
          assert.deepStrictEqual(
            hours.map(({ hour, lines, refused, rows }) => [hour, lines, rows + refused]),
            [
              ["1970-01-01T00:00:00.000Z", 1, 1],
              ["2025-11-21T22:00:00.000Z", 0, 1],
              ["2025-11-21T23:00:00.000Z", 0, 1],
              ["2025-11-23T04:00:00.000Z", 0, 1],
              ["2025-11-24T00:00:00.000Z", 1, 1]
            ]
          )
        })
      )

      it.effect("are not asked for where the database keeps them no longer, unless they are there again", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const records = yield* store("old")
          yield* moveKeptFrom(dayMs + 2 * hour_ms)
          const whole = yield* compared("old", records)
          assert.deepStrictEqual([whole.hours.length, whole.older, whole.keptFrom], [3, 0, undefined])
          yield* sql`delete from pattern_records where node = 'old' and seq < 150`
          yield* sql`delete from ingest_errors where node = 'old' and seq < 150`
          const { hours, keptFrom, older } = yield* compared("old", records)
          assert.deepStrictEqual([hours.length, older, keptFrom], [1, 200, "2025-11-24T02:00:00.000Z"])
          assert.deepStrictEqual(rowProblems(hours), [])
          assert.deepInclude(yield* certified("old", records), { missing: none, lines: 100, older: 200 })
          yield* sql`delete from pattern_records where node = 'old' and seq = 250`
          assert.strictEqual(rowProblems((yield* compared("old", records)).hours).length, 1)
          yield* sql`delete from record_retention`
          assert.strictEqual(rowProblems((yield* compared("old", records)).hours).length, 3)
        })
      )

      it.effect("are asked for only as far as the live follower has come", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const records = yield* store("behind")
          yield* sql`delete from pattern_records where node = 'behind' and seq > 250`
          yield* sql`insert into follower_cursors (follower, node, seq, file, byte_offset) values ('sql', 'behind', 250, '', 0)`
          const { hours, waiting } = yield* compared("behind", records)
          assert.deepStrictEqual([rowProblems(hours), waiting], [[], 52])
          assert.strictEqual(hours.at(-1)?.lines, 50)
        })
      )
    }
  )
}
