import { assert, layer } from "@effect/vitest"
import { Cause, Context, Data, Deferred, Effect, Exit, Layer, Logger, Schedule, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { connect } from "node:net"
import { fork, type ChildProcess } from "node:child_process"
import { cpSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import * as Database from "../../src/sql/Database.ts"
import { compiled } from "../support/compiled.ts"
import { tempFolder } from "./fixtures.ts"

const using = <A, E>(folder: string, effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(effect, Database.layer({ _tag: "embedded", folder }))

/** The database as an actor of its own supervisor, where it listens. */
const opened = (folder: string) =>
  Effect.gen(function* () {
    const actors = yield* Layer.build(Layer.fresh(Supervisor.layer))
    return yield* Effect.provideContext(Database.openEmbedded(folder), actors)
  })

const query = (text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(text))

class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly why: string }> {}

/** A database made once, which the other tests begin from: making one takes seconds. */
class Made extends Context.Service<Made, { readonly folder: string }>()("test/Made") {
  static readonly layer = Layer.effect(
    Made,
    Effect.gen(function* () {
      const folder = join(yield* tempFolder, "db")
      yield* Effect.scoped(opened(folder))
      return { folder }
    })
  )
}

const madeIn = (...names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = join(yield* tempFolder, ...names, "db")
    cpSync((yield* Made).folder, folder, { recursive: true })
    return folder
  })

const childOn = (folder: string) =>
  Effect.gen(function* () {
    const built = yield* compiled(["test/sql/children/embeddedChild.ts", "src/sql/embeddedWorker.ts"])
    return yield* Effect.acquireRelease(
      Effect.sync(() => fork(join(built, "test/sql/children/embeddedChild.js"), [folder], { stdio: "inherit" })),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
  })

const said = (child: ChildProcess) =>
  Effect.callback<unknown, NoAnswer>((resume) => {
    child.once("message", (message) => resume(Effect.succeed(message)))
    child.once("exit", (code) =>
      resume(Effect.fail(new NoAnswer({ why: `the child ended with ${code} before it had committed` })))
    )
  })

const startup = Buffer.concat([
  Buffer.from([0, 0, 0, 41, 0, 3, 0, 0]),
  Buffer.from("user\0postgres\0database\0postgres\0\0")
])

/** The end of what the server says to a new connection. */
const ready = "Z\0\0\0\x05I"
/** A message of no known type, at which PGlite turns in circles for ever. */
const unknownMessage = Buffer.from([0x7a, 0, 0, 0, 4])

/** Connects, sends something once the database is ready for it, and waits for a word in all it says. */
const answer = (path: string, { send, until }: { readonly send: Buffer; readonly until: string }) =>
  Effect.callback<void, NoAnswer>((resume) => {
    let said = ""
    const socket = connect(path, () => socket.write(startup))
    socket.on("data", (bytes) => {
      said += bytes.toString("latin1")
      if (said.endsWith(ready)) socket.write(send)
      if (said.includes(until)) resume(Effect.void)
    })
    socket.on("error", (cause) => resume(Effect.fail(new NoAnswer({ why: cause.message }))))
    socket.on("close", () => resume(Effect.fail(new NoAnswer({ why: "closed" }))))
  })

const killed = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

layer(Made.layer, { timeout: "60 seconds", excludeTestServices: true })("the embedded database", (it) => {
  it.effect("keeps its rows from one run to the next, and its socket to its owner", () =>
    Effect.gen(function* () {
      const folder = yield* madeIn()
      yield* using(
        folder,
        Effect.gen(function* () {
          yield* query("create table kept (n int)")
          yield* query("insert into kept values (7)")
          assert.strictEqual(statSync(`${folder}.run`).mode & 0o777, 0o700)
          assert.isTrue(existsSync(join(`${folder}.run`, ".s.PGSQL.5432")))
        })
      )
      assert.deepStrictEqual(yield* using(folder, query("select n from kept")), [{ n: 7 }])
    })
  )

  it.effect(
    "refuses a second process by the pid of the first, and comes up with every committed row after its kill -9",
    () =>
      Effect.gen(function* () {
        const folder = yield* madeIn()
        const child = yield* childOn(folder)
        yield* said(child)
        const refusal = yield* Effect.flip(using(folder, query("select 1")))
        assert.strictEqual(refusal._tag, "FolderLocked")
        assert.include(refusal.message, `process ${child.pid} `)
        yield* killed(child)
        const rows = yield* using(folder, query("select n from committed order by n"))
        assert.isAtLeast(rows.length, 20)
        assert.deepStrictEqual(
          rows.map(({ n }) => n),
          rows.map((_, index) => index)
        )
      })
  )

  it.effect("listens on loopback where the path of the socket would be too long", () =>
    Effect.gen(function* () {
      const folder = yield* madeIn("d".repeat(100))
      const endpoint = yield* opened(folder).pipe(
        Effect.tap(({ host, port }) =>
          Effect.sync(() => {
            assert.strictEqual(host, "127.0.0.1")
            assert.isAbove(port ?? 0, 0)
          })
        ),
        Effect.scoped
      )
      assert.isUndefined(endpoint.path)
      assert.deepStrictEqual(yield* using(folder, query("select 1 as one")), [{ one: 1 }])
    })
  )

  it.effect("fails at the start, and lets go of its lock, when the folder holds something else", () =>
    Effect.gen(function* () {
      const folder = join(yield* tempFolder, "db")
      mkdirSync(folder)
      writeFileSync(join(folder, "thesis.txt"), "mine")
      const refusal = yield* Effect.flip(using(folder, query("select 1")))
      assert.strictEqual(refusal._tag, "EmbeddedDatabaseError")
      assert.isTrue(existsSync(join(folder, "thesis.txt")))
      const again = yield* Effect.flip(using(folder, query("select 1")))
      assert.strictEqual(again._tag, "EmbeddedDatabaseError")
    })
  )

  it.effect("does not take a database half-made by a killed start for a whole one", () =>
    Effect.gen(function* () {
      const folder = join(yield* tempFolder, "db")
      mkdirSync(`${folder}.new`)
      writeFileSync(join(`${folder}.new`, "PG_VERSION"), "18")
      assert.deepStrictEqual(yield* using(folder, query("select 1 as one")), [{ one: 1 }])
      assert.strictEqual(statSync(folder).mode & 0o777, 0o700)
    })
  )

  it.effect("belongs to one scope of this process at a time", () =>
    Effect.gen(function* () {
      const folder = yield* madeIn()
      const scope = yield* Scope.make()
      yield* Scope.provide(opened(folder), scope)
      const second = yield* Effect.exit(Effect.scoped(opened(folder)))
      assert.isTrue(Exit.isFailure(second) && Cause.pretty(second.cause).includes(`process ${process.pid} `))
      yield* Scope.close(scope, Exit.void)
      yield* Effect.scoped(opened(folder))
    })
  )

  it.effect("is started again in its place when its engine has broken and says nothing more", () =>
    Effect.gen(function* () {
      const folder = yield* madeIn()
      const ended = yield* Deferred.make<void>()
      const listening = Logger.make(({ message }) => {
        if (String(message).includes("started again")) Deferred.doneUnsafe(ended, Effect.void)
      })
      const { path = "" } = yield* opened(folder).pipe(Effect.provide(Logger.layer([listening])))
      yield* answer(path, { send: unknownMessage, until: "FATAL" })
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("2 minutes")
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.await(ended)
      yield* TestClock.adjust("1 second")
      yield* answer(path, { send: Buffer.alloc(0), until: ready }).pipe(Effect.retry(Schedule.forever))
    }).pipe(Effect.provide(TestClock.layer()))
  )
})
