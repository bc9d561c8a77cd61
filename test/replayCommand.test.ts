import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { cpSync, existsSync } from "node:fs"
import { join } from "node:path"
import { moveKeptFrom } from "../src/sql/KeptFrom.ts"
import * as Database from "../src/sql/Database.ts"
import { writeArchive } from "./support/archive.ts"
import { clockOf, quotes } from "./support/archivedDay.ts"
import { compiled } from "./support/compiled.ts"
import { postgresMissing, postgresServer } from "./support/postgres.ts"
import { runToEnd } from "./support/runToEnd.ts"
import { scratchFolder } from "./support/virtualTime.ts"

/** An archive of two days, 60 quotes each, and the observer's programs over it. */
const staged = Effect.gen(function* () {
  const folder = yield* compiled(["src/cli.ts", "migrations/0001_records.ts"])
  const scratch = yield* scratchFolder
  const dataDir = join(scratch, "data")
  const drafts = ["20251124", "20251125"].flatMap((day) =>
    quotes(["005930"], clockOf(day)("0900"), clockOf(day)("1000"))
  )
  writeArchive(dataDir, drafts, { node: "seoul-1" })
  const stateDir = join(scratch, "state")
  const env = { OBSERVER_DATA_DIR: dataDir, OBSERVER_STATE_DIR: stateDir, DATABASE_URL: "", OBSERVER_SQL: "on" }
  const observer = (args: ReadonlyArray<string>, changes: Readonly<Record<string, string>> = {}) =>
    runToEnd(join(folder, "src", "cli.js"), args, { ...env, ...changes })
  return { folder, observer, stateDir }
})

describe("observer replay --dry-run", () => {
  it.live(
    "makes no database, and says what there would be after a replay; days that are none are refused by every program",
    () =>
      Effect.gen(function* () {
        const { observer, stateDir } = yield* staged
        const dry = yield* observer(["replay", "--dry-run", "--from", "2025-11-25", "--to", "2025-11-25"])
        assert.strictEqual(dry.code, 1)
        assert.deepStrictEqual(dry.stdout.split("\n").slice(1), [
          "there is no embedded database yet: nothing is stored",
          "before: seoul-1 seq 61–120: 60 data lines, 0 rows: 60 missing",
          "after: seoul-1 seq 61–120: 60 data lines, 60 rows: equal",
          ""
        ])
        assert.strictEqual(
          dry.stderr,
          "observer: not every line of seoul-1 is stored: a replay without --dry-run stores what is missing\n"
        )
        assert.isFalse(existsSync(stateDir))

        const nowhere = join(stateDir, "nowhere")
        const lost = yield* observer(["replay"], { OBSERVER_DATA_DIR: nowhere })
        assert.deepInclude(lost, { code: 73, stdout: "" })
        assert.strictEqual(lost.stderr, `observer: OBSERVER_DATA_DIR is ${nowhere}: there is no such folder\n`)

        const noDay = /2026-02-31 is no day; allowed: a day such as 2026-11-24/
        const turned = (from: string) =>
          new RegExp(`--to 2026-11-01 is before ${from} 2026-11-30; allowed: the same day or a later one`)
        for (const [args, said] of [
          [["replay", "--from", "2026-02-31"], noDay],
          [["replay", "--to", "2026-02-31", "--dry-run"], noDay],
          [["verify", "--to", "2026-02-31"], noDay],
          [["certify", "2026-02-31"], noDay],
          [["gaps", "--day", "2026-02-31"], noDay],
          [["export", "--day", "2026-02-31"], noDay],
          [["export", "--day", "2026-11-24", "--to", "2026-02-31"], noDay],
          [["replay", "--from", "2026-11-30", "--to", "2026-11-01"], turned("--from")],
          [["verify", "--from", "20261130", "--to", "2026-11-01"], turned("--from")],
          [["export", "--day", "2026-11-30", "--to", "2026-11-01"], turned("--day")]
        ] as const) {
          const refused = yield* observer(args)
          assert.deepInclude(refused, { code: 64, stdout: "" }, args.join(" "))
          assert.match(refused.stderr, said)
          assert.strictEqual(refused.stderr.trim().split("\n").length, 1, args.join(" "))
        }
      }).pipe(Effect.scoped),
    120_000
  )

  it.live.skipIf(postgresMissing !== undefined)(
    "makes no tables either, counts what is there, and does not miss days that the database keeps no longer",
    () =>
      Effect.gen(function* () {
        const { folder, observer } = yield* staged
        const sources = ["0002_bookkeeping", "0003_hypertable", "0004_usage", "0005_retention"]
        const others = yield* compiled(sources.map((name) => `migrations/${name}.ts`))
        for (const from of [folder, others]) {
          cpSync(join(from, "migrations"), join(folder, "src", "migrations"), { recursive: true })
        }
        const { url } = yield* postgresServer
        const replay = (...args: ReadonlyArray<string>) =>
          observer(["replay", "--target", Redacted.value(url), ...args])
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const empty = yield* replay("--dry-run")
          assert.strictEqual(empty.code, 1)
          assert.include(empty.stdout, "the database has no tables of the observer yet: nothing is stored\n")
          assert.include(empty.stdout, "after: seoul-1 seq 1–120: 120 data lines, 120 rows: equal\n")
          assert.deepStrictEqual(
            yield* sql`select relname from pg_class where relnamespace = 'public'::regnamespace`,
            []
          )

          assert.deepInclude(yield* replay(), { code: 0, stderr: "" })
          yield* sql`delete from pattern_records where seq in (1, 120)`
          const short = yield* replay("--dry-run")
          assert.include(short.stdout, "before: seoul-1 seq 1–120: 120 data lines, 118 rows: 2 missing\n")
          assert.strictEqual((yield* sql`select from pattern_records`).length, 118)

          yield* moveKeptFrom(clockOf("20251125")("0000"))
          yield* sql`delete from pattern_records where seq <= 60`
          yield* sql`delete from follower_cursors`
          const kept =
            /\nthe database keeps days from 2025-11-25 on: older ones are dropped again within the hour while /
          const again = yield* replay("--from", "2025-11-25")
          assert.deepInclude(again, { code: 0, stderr: "" })
          assert.notMatch(again.stdout, kept)
          const old = yield* replay("--dry-run")
          assert.deepInclude(old, { code: 0, stderr: "" })
          assert.match(old.stdout, kept)
          assert.match(old.stdout, /60 rows: 60 lines older than the database keeps, which is from 2025-11-25 on\n/)
          const full = yield* replay()
          assert.match(full.stdout, kept)
          assert.include(full.stdout, "after: seoul-1 seq 1–120: 120 data lines, 120 rows: equal\n")
          const verified = yield* observer(["verify", "--target", Redacted.value(url), "--json"])
          assert.deepInclude(JSON.parse(verified.stdout), { clean: true })
          yield* sql`delete from pattern_records where seq <= 60`
          const dropped = yield* observer(["verify", "--target", Redacted.value(url)])
          assert.deepInclude(dropped, { code: 0, stderr: "" })
          assert.include(dropped.stdout, "\nSQL: 60 lines older than the database keeps, which is from 2025-11-25 on\n")
        }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
      }).pipe(Effect.scoped),
    180_000
  )
})
