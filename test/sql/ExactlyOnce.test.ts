import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { isDataKind, type JournalRecord } from "../../src/domain/JournalRecord.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { databases, placeOf, recordsOf } from "./fixtures.ts"

class Crash extends Schema.TaggedError<Crash>()("Crash", { when: Schema.String }) {}

const Step = Schema.Struct({
  kinds: Schema.Array(Schema.Literals(["trade", "quote", "gap", "reject", "marker", "poison"])).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(6)
  ),
  /** What happens to the first try of the batch; `twin`: another follower of the same name stores it first. */
  fault: Schema.Literals(["none", "beforeCommit", "afterCommit", "twin"])
})

const draftOf = (kind: (typeof Step.Type)["kinds"][number]) =>
  kind === "poison"
    ? { payload: ["\u0000"] }
    : kind === "gap"
      ? { kind, payload: { cause: "silence" } }
      : kind === "reject"
        ? { kind, payload: { reason: "zeroPrice", raw: "0" } }
        : { kind }

/** The client, whose next transaction of the follower dies before its commit, or loses the answer to it. */
const crashing = (sql: SqlClient.SqlClient, when: "beforeCommit" | "afterCommit"): SqlClient.SqlClient => {
  let depth = 0
  const withTransaction = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const isOutermost = depth === 0
      depth += 1
      const crash = Effect.die(new Crash({ when }))
      const run = sql.withTransaction(isOutermost && when === "beforeCommit" ? Effect.andThen(effect, crash) : effect)
      return (isOutermost && when === "afterCommit" ? Effect.andThen(run, crash) : run).pipe(
        Effect.ensuring(Effect.sync(() => void (depth -= 1)))
      )
    })
  return new Proxy(sql, {
    get: (target, key) => (key === "withTransaction" ? withTransaction : Reflect.get(target, key))
  })
}

let runs = 0

for (const database of databases) {
  layer(database.layer, { timeout: "60 seconds", excludeTestServices: true })(
    `exactly once on ${database.name}`,
    (it) => {
      it.effect.prop(
        "every record is a row, an error or a marker, whatever crashes between write and commit",
        [Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(8))],
        ([steps]) =>
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            const node = `exactly-${runs++}`
            const options = { node, batchSize: 10, linger: "1 milli", prepare: Effect.void } as const
            const follower = yield* makeSqlFollower(options)
            const written: Array<JournalRecord & { readonly poison: boolean }> = []

            for (const { fault, kinds } of steps) {
              const from = placeOf(written.length)
              const to = placeOf(written.length + kinds.length)
              const batch = recordsOf(node, written.length + 1, kinds.map(draftOf))
              if (fault === "twin") yield* follower.write(batch, from, to)
              else if (fault !== "none") {
                const doomed = yield* makeSqlFollower(options).pipe(
                  Effect.provideService(SqlClient.SqlClient, crashing(sql, fault))
                )
                yield* Effect.exit(doomed.write(batch, from, to))
              }
              // What the driver does: ask where we are, and write what lies behind it.
              const at = yield* follower.cursor
              if (at.seq === from.seq) yield* follower.write(batch, from, to)
              else assert.strictEqual((yield* Effect.flip(follower.write(batch, from, to)))._tag, "CursorMoved")
              written.push(...batch.map((record, index) => ({ ...record, poison: kinds[index] === "poison" })))
            }

            const seqs = (table: string) =>
              Effect.map(
                sql.unsafe<{ seq: bigint }>(`select seq from ${table} where node = $1 order by seq`, [node]),
                (rows) => rows.map((row) => Number(row.seq))
              )
            const expected = (belongs: (record: (typeof written)[number]) => boolean) =>
              written.filter(belongs).map(({ seq }) => seq)
            assert.deepStrictEqual(
              yield* seqs("pattern_records"),
              expected(({ kind, poison }) => isDataKind(kind) && !poison)
            )
            assert.deepStrictEqual(
              yield* seqs("ingest_errors"),
              expected(({ kind, poison }) => poison || kind === "gap" || kind === "reject")
            )
            assert.deepStrictEqual(yield* follower.cursor, placeOf(written.length))
          }),
        { arbitrary: { runs: 30 }, timeout: 60_000 }
      )
    }
  )
}
