import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { connect, createServer, type Server } from "node:net"
import { Disk } from "../../src/journal/Disk.ts"
import { drive, type FollowerDriver } from "../../src/journal/Follower.ts"
import { Journal } from "../../src/journal/Journal.ts"
import * as Database from "../../src/sql/Database.ts"
import { makeSqlFollower } from "../../src/sql/SqlFollower.ts"
import { postgresMissing, postgresServer } from "../support/postgres.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"
import { dayStartMs, migrated } from "./fixtures.ts"

/** Between the client and its server; keeps as many answers to a commit as it is told, and cuts the connection instead. */
const proxyTo = (port: number) =>
  Effect.gen(function* () {
    const losing = { left: 0 }
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const made = createServer((client) => {
          const upstream = connect(port, "127.0.0.1")
          const end = () => {
            client.destroy()
            upstream.destroy()
          }
          client.pipe(upstream)
          upstream.on("data", (bytes: Buffer) => {
            if (losing.left === 0 || !bytes.includes("COMMIT\0")) return client.write(bytes)
            losing.left -= 1
            return end()
          })
          for (const socket of [client, upstream]) socket.on("error", end).on("close", end)
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) => Effect.sync(() => void made.close())
    )
    const address = server.address()
    return { losing, port: typeof address === "object" && address !== null ? address.port : 0 }
  })

const portOf = (url: Redacted.Redacted) => Number(new URL(Redacted.value(url)).port)

/** A server with a role that has no rights of a superuser, a journal, and a follower between them over a proxy. */
const followed = Effect.gen(function* () {
  const server = yield* postgresServer
  const admin = Context.get(
    yield* Layer.build(Database.layer({ _tag: "server", url: server.url })),
    SqlClient.SqlClient
  )
  yield* admin`create role observer login`
  yield* admin`grant all on schema public to observer`
  const { losing, port } = yield* proxyTo(portOf(server.url))
  const url = Redacted.make(`postgres://observer@127.0.0.1:${port}/postgres`)
  const sql = Context.get(yield* Layer.build(Layer.fresh(Database.layer({ _tag: "server", url }))), SqlClient.SqlClient)
  const options = { dataDir: yield* scratchFolder, node: "faults", segment_bytes: 1e6, fsync_ms: 200 }
  const journal = Context.get(yield* Layer.build(Layer.provide(Journal.layer(options), Disk.layer)), Journal)
  yield* Effect.forkScoped(journal.run)
  const prepare = Effect.provideService(migrated, SqlClient.SqlClient, sql)
  const follower = yield* Effect.provideService(
    makeSqlFollower({ node: "faults", batchSize: 100, catchUpSize: 300, linger: "10 millis", prepare }),
    SqlClient.SqlClient,
    sql
  )
  const driver = yield* Effect.provideService(drive(follower), Journal, journal)
  yield* Effect.forkScoped(driver.run)
  const append = (count: number) =>
    journal.append(
      Array.from({ length: count }, () => ({
        kind: "trade" as const,
        symbol: "005930",
        receivedAtMs: dayStartMs,
        source: "kis-ws" as const,
        price: 70_000,
        payload: ["005930"]
      }))
    )
  const terminate = admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'observer'`
  const rows = Effect.map(
    admin<{ rows: bigint; seqs: bigint }>`select count(*) as rows, count(distinct seq) as seqs from pattern_records`,
    ([found]) => [Number(found?.rows), Number(found?.seqs)]
  )
  return { admin, append, driver, losing, rows, server, terminate }
})

const seen = (driver: FollowerDriver, happened: (status: Effect.Success<FollowerDriver["status"]>) => boolean) =>
  until(() => happened(Effect.runSync(driver.status)))
const allStored = (driver: FollowerDriver) =>
  seen(driver, ({ lag_records, state }) => state === "ok" && lag_records === 0)

describe.skipIf(postgresMissing !== undefined)("a follower whose server", { timeout: 60_000 }, () => {
  it.live("has no connection left for it, or only reads, says so and loses nothing", () =>
    Effect.gen(function* () {
      const { admin, append, driver, rows, terminate } = yield* followed
      yield* append(500)
      yield* allStored(driver)
      const faults = [
        {
          begin: "alter role observer connection limit 0",
          end: "alter role observer connection limit -1",
          says: "too many connections"
        },
        {
          begin: "alter role observer set default_transaction_read_only = on",
          end: "alter role observer reset default_transaction_read_only",
          says: "read-only transaction"
        }
      ]
      for (const { begin, end, says } of faults) {
        yield* admin.unsafe(begin)
        yield* terminate
        yield* append(500)
        yield* seen(driver, ({ reason, state }) => state === "degraded" && (reason ?? "").includes(says))
        yield* append(500)
        yield* admin.unsafe(end)
        yield* terminate
        yield* allStored(driver)
      }
      assert.deepStrictEqual(yield* rows, [2_500, 2_500])
    })
  )

  it.live(
    "commits, and whose answer to that is lost with the connection, is asked where it is and sent nothing twice",
    () =>
      Effect.gen(function* () {
        const { append, driver, losing, rows } = yield* followed
        yield* append(100)
        yield* allStored(driver)
        losing.left = 3
        for (let chunk = 0; chunk < 10; chunk++) yield* append(100)
        yield* allStored(driver)
        assert.strictEqual(losing.left, 0)
        assert.deepStrictEqual(yield* rows, [1_100, 1_100])
      })
  )

  it.live("is killed while a batch is written, and comes up again, has every record once", () =>
    Effect.gen(function* () {
      const { append, driver, rows, server } = yield* followed
      yield* append(100)
      yield* allStored(driver)
      for (let chunk = 0; chunk < 20; chunk++) yield* append(100)
      yield* server.kill
      yield* append(100)
      yield* server.start
      yield* allStored(driver)
      assert.deepStrictEqual(yield* rows, [2_200, 2_200])
    })
  )
})
