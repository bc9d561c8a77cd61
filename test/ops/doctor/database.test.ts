import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { mkdirSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { FolderLock } from "../../../src/journal/FolderLock.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { database } from "../../../src/ops/doctor/database.ts"
import type { Installation } from "../../../src/ops/doctor/Installation.ts"
import * as Database from "../../../src/sql/Database.ts"
import { writeArchive } from "../../support/archive.ts"
import { clockOf, quotes } from "../../support/archivedDay.ts"
import { postgresMissing, postgresServer } from "../../support/postgres.ts"
import { installationAt } from "../../support/installation.ts"
import { scratchFolder } from "../../support/virtualTime.ts"
import { migrated, migratedTo } from "../../sql/fixtures.ts"

const node = "seoul-1"

const scene = Effect.map(scratchFolder, (scratch): Installation => ({
  ...installationAt(scratch),
  migrations: fileURLToPath(new URL("../../../migrations", import.meta.url))
}))

const looked = (on: Installation) => Effect.provide(database.look(on), Disk.layer)

/** The findings by name. */
const named = (on: Installation) =>
  Effect.map(looked(on), (found) => new Map(found.map((finding) => [finding.name, finding])))

const asUser = (url: Redacted.Redacted, user: string) => {
  const other = new URL(Redacted.value(url))
  other.username = user
  return Redacted.make(other.href)
}

describe("what the doctor says of a database", () => {
  it.live("none is asked when SQL is off, and the embedded one is only looked at", () =>
    Effect.gen(function* () {
      const on = yield* scene
      assert.strictEqual((yield* looked(on))[0]?.status, "skipped")
      const folder = join(on.stateDir, "db")
      const embedded: Installation = { ...on, database: { _tag: "embedded", folder } }
      assert.include((yield* looked(embedded))[0]?.words, "the first start makes it")
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, "base"), "x".repeat(2_000))
      const alone = (yield* looked(embedded))[0]
      assert.include(alone?.words, "2 kB; nobody has it open")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* FolderLock.acquire(`${folder}.run`, "embedded database")
          const [held] = yield* looked(embedded)
          assert.deepInclude(held, { status: "ok" })
          assert.include(held?.words, `open in process ${process.pid}`)
        })
      )
    })
  )

  it.live("a server elsewhere needs a network, one on this machine does not", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const needs = (url: string) =>
        database.needsNetwork?.({ ...on, database: { _tag: "server", url: Redacted.make(url) } })
      assert.isTrue(needs("postgres://u:p@db.example/x"))
      for (const local of ["127.0.0.1", "localhost", "[::1]"]) assert.isFalse(needs(`postgres://u:p@${local}/x`))
      assert.isFalse(needs("postgres:///x"))
      assert.isFalse(needs("postgres:///x?host=/var/run/postgresql"))
    })
  )

  it.live("a server that takes connections and says nothing, and one that is not there", () =>
    Effect.gen(function* () {
      const on = yield* scene
      const sockets = new Set<{ destroy: () => void }>()
      const server = createServer((socket) => sockets.add(socket))
      const port = yield* Effect.acquireRelease(
        Effect.callback<number>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
        }),
        () => Effect.sync(() => (sockets.forEach((socket) => socket.destroy()), server.close()))
      )
      const at = (there: number) => {
        const url = Redacted.make(`postgres://user:planted-password@127.0.0.1:${there}/x`)
        return looked({ ...on, database: { _tag: "server", url } })
      }
      const [hung] = yield* at(port)
      assert.deepInclude(hung, { name: "database", status: "fail" })
      const found = yield* at(1)
      assert.strictEqual(found.length, 1)
      assert.deepInclude(found[0], { name: "database", status: "fail" })
      assert.include(found[0]?.advice, "the journal keeps everything meanwhile")
      assert.notInclude(JSON.stringify([hung, found]), "planted-password")
    })
  )
})

describe.skipIf(postgresMissing !== undefined)("what the doctor says of a PostgreSQL server", () => {
  it.live(
    "an empty one, an older one, one that is up to date, and one of a newer version",
    () =>
      Effect.gen(function* () {
        const { url } = yield* postgresServer
        const on: Installation = { ...(yield* scene), database: { _tag: "server", url } }
        const doing = <A, E>(work: Effect.Effect<A, E, SqlClient.SqlClient>) =>
          Effect.provide(work, Database.layer({ _tag: "server", url }), { local: true })
        const ask = named(on)

        const empty = yield* ask
        assert.match(empty.get("database")?.words ?? "", /^PostgreSQL 1[5-9]\.\d+ .*TimescaleDB.*, \d+(\.\d+)? MB$/)
        assert.include(empty.get("migrations")?.words, "no tables yet")
        for (const [, { status }] of empty) assert.strictEqual(status, "ok")
        const tables = Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`select from pg_tables where schemaname = 'public'`
        )
        assert.strictEqual((yield* doing(tables)).length, 0, "the look has made a table")

        yield* doing(migratedTo(2))
        const older = (yield* ask).get("migrations")
        assert.strictEqual(older?.status, "warn")
        assert.match(older?.words ?? "", /^0003_\w+, .* were not run yet$/)
        assert.include(older?.advice, "observer migrate")

        yield* doing(migrated)
        const current = yield* ask
        assert.match(current.get("migrations")?.words ?? "", /^all \d+ were run$/)
        assert.include(current.get("SQL follower")?.words, "stored #0, 0 records behind")
        assert.strictEqual(current.get("database clock")?.status, "ok")

        writeArchive(on.dataDir, quotes(["005930"], clockOf("20251124")("0900"), clockOf("20251124")("1000")), { node })
        assert.include((yield* ask).get("SQL follower")?.words, "60 records behind the journal; the next start goes on")
        const holder = Effect.succeed({ pid: 1, purpose: "journal" })
        assert.strictEqual((yield* named({ ...on, holder })).get("SQL follower")?.status, "warn")
        const cursor = (seq: number) =>
          Effect.flatMap(SqlClient.SqlClient, (sql) =>
            Effect.andThen(
              sql`delete from follower_cursors`,
              sql`insert into follower_cursors (follower, node, seq, file, byte_offset)
                values ('sql', ${node}, ${seq}::text::bigint, 'f', 0)`
            )
          )
        yield* doing(cursor(61))
        const ahead = (yield* ask).get("SQL follower")
        assert.strictEqual(ahead?.status, "fail")
        assert.include(ahead?.words, "it is another journal")

        const future = Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`insert into effect_sql_migrations (migration_id, name) values (9999, 'future')`
        )
        yield* doing(future)
        const newer = (yield* ask).get("migrations")
        assert.strictEqual(newer?.status, "fail")
        assert.include(newer?.words, "9999_future")
      }),
    60_000
  )

  it.live(
    "a user who may make no partition, one who does not own the table, and one who does not exist",
    () =>
      Effect.gen(function* () {
        const { url } = yield* postgresServer
        const on = yield* scene
        const ask = (user: string) => named({ ...on, database: { _tag: "server", url: asUser(url, user) } })
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* migrated
          yield* sql`create role reader login`
          yield* sql`create role writer login`
          yield* sql`grant create on schema public to writer`
          yield* sql`grant select on all tables in schema public to reader, writer`
        }).pipe(Effect.provide(Database.layer({ _tag: "server", url })))
        const reader = (yield* ask("reader")).get("database rights")
        assert.strictEqual(reader?.status, "fail")
        assert.include(reader?.words, "no table may be made in schema public")
        const writer = (yield* ask("writer")).get("database rights")
        assert.strictEqual(writer?.status, "fail")
        assert.include(writer?.words, "belongs to another user")
        const nobody = (yield* ask("nobody")).get("database")
        assert.strictEqual(nobody?.status, "fail")
        assert.include(nobody?.words, 'role "nobody" does not exist')
        assert.include(nobody?.advice, "look at the user and the password")
      }),
    60_000
  )
})
