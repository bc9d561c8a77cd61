import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process"
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { thisBoot, thisNamespace } from "../../src/journal/BootId.ts"
import { FolderLock } from "../../src/journal/FolderLock.ts"
import { startedAt } from "../../src/journal/ProcessLife.ts"
import { compiled } from "../support/compiled.ts"

const tempFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-lock-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

class Child extends Context.Service<Child, { readonly script: string }>()("test/Child") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(compiled(["test/journal/children/lockChild.ts"]), (folder) => ({
      script: join(folder, "test/journal/children/lockChild.js")
    }))
  )
}

const starter = Effect.gen(function* () {
  const { script } = yield* Child
  return yield* Effect.acquireRelease(
    Effect.sync(() => fork(script)),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )
})

const isolated = ["--pid", "--fork", "--kill-child", "--mount-proc"]
const hasNamespaces = spawnSync("unshare", [...isolated, "true"]).status === 0
if (!hasNamespaces)
  console.warn("skipped: locks between pid namespaces, for this user may not make one (as root they run)")

/** A starter as in a container of its own: its pid is 1, and no other process can see it. */
const containedStarter = Effect.gen(function* () {
  const { script } = yield* Child
  return yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("unshare", [...isolated, process.execPath, script], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
    ),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )
})

/** Asks a starter to take a folder, and gives its answer. */
const ask = (child: ChildProcess, folder: string) =>
  Effect.callback<string>((resume) => {
    child.once("message", (answer) => resume(Effect.succeed(String(answer))))
    child.send(folder)
  })

const killed = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

const awaited = (isSo: () => boolean) =>
  Effect.sync(isSo).pipe(
    Effect.repeat({ schedule: Schedule.spaced("50 millis"), until: (is) => is }),
    Effect.timeout("10 seconds")
  )
const locks = (folder: string) => readdirSync(folder).filter((name) => name.startsWith(".lock."))
const lockedBy = (folder: string, holder: object) => writeFileSync(join(folder, ".lock.7"), JSON.stringify(holder))
const taken = (folder: string) => Effect.scoped(FolderLock.acquire(folder, "test"))

layer(Child.layer, { timeout: "60 seconds", excludeTestServices: true })("the lock of a folder", (it) => {
  it.effect("names the pid and purpose of the living process that holds it, and is free after its kill -9", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const child = yield* starter
      assert.strictEqual(yield* ask(child, folder), "held")
      const refusal = yield* Effect.flip(taken(folder))
      assert.strictEqual(refusal._tag, "FolderLocked")
      assert.include(refusal.message, `process ${child.pid} (child)`)
      yield* killed(child)
      yield* taken(folder)
    })
  )

  it.effect("is won by exactly one of several starters that find the same stale lock", () =>
    Effect.gen(function* () {
      const starters = yield* Effect.all([starter, starter, starter, starter])
      const dead = yield* starter
      yield* killed(dead)
      for (let round = 0; round < 25; round++) {
        const folder = yield* tempFolder
        lockedBy(folder, { pid: dead.pid, purpose: "dead" })
        const answers = yield* Effect.forEach(starters, (child) => ask(child, folder), { concurrency: "unbounded" })
        assert.deepStrictEqual(answers.toSorted(), ["FolderLocked", "FolderLocked", "FolderLocked", "held"])
      }
    })
  )

  it.effect("is refused to a second scope of the same process, and free again when the first closes", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const refusal = yield* Effect.scoped(
        Effect.andThen(FolderLock.acquire(folder, "first"), Effect.flip(taken(folder)))
      )
      assert.strictEqual(refusal._tag, "FolderLocked")
      yield* taken(folder)
      assert.strictEqual(locks(folder).length, 1)
    })
  )

  it.effect("is stale when its pid is our own from before a restart, was reused, or its content was lost", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      lockedBy(folder, { pid: process.pid, started: yield* Effect.promise(() => startedAt(process.pid)), purpose: "x" })
      yield* taken(folder)
      const other = join(folder, "other")
      mkdirSync(other)
      lockedBy(other, { pid: process.ppid, started: "another boot:1", purpose: "x" })
      yield* taken(other)
      const lost = join(folder, "lost")
      mkdirSync(lost)
      writeFileSync(join(lost, ".lock.3"), "")
      yield* Effect.scoped(
        Effect.andThen(
          FolderLock.acquire(lost, "test"),
          Effect.sync(() => {
            assert.deepStrictEqual(locks(lost), [".lock.4"])
            assert.include(readFileSync(join(lost, ".lock.4"), "utf8"), `"pid":${process.pid}`)
          })
        )
      )
    })
  )

  it.effect.skipIf(!hasNamespaces)(
    "is refused to processes of other pid namespaces while its owner lives, whatever its pid, and free soon after its end",
    () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        const [first, second] = yield* Effect.all([containedStarter, containedStarter])
        assert.strictEqual(yield* ask(first, folder), "held")
        assert.strictEqual(yield* ask(second, folder), "FolderLocked")
        const refusal = yield* Effect.flip(taken(folder))
        assert.include(refusal.message, "in use by process 1 of another container or machine (child)")
        assert.deepInclude(yield* FolderLock.holder(folder), { pid: 1 })
        yield* killed(first)
        assert.strictEqual(yield* ask(second, folder), "held")
      }),
    30_000
  )

  it.effect.skipIf(thisNamespace() === undefined)(
    "of another namespace or run of the machine is taken at once when nobody has touched it for long, and held while somebody does",
    () =>
      Effect.gen(function* () {
        const foreigners = [
          { pid: process.ppid, purpose: "x", boot: thisBoot(), namespace: "pid:[1]" },
          { pid: process.pid, purpose: "x", boot: "another", namespace: thisNamespace() }
        ]
        for (const holder of foreigners) {
          const folder = yield* tempFolder
          lockedBy(folder, holder)
          const lock = join(folder, ".lock.7")
          const touched = Effect.sync(() => utimesSync(lock, new Date(), new Date()))
          const refusal = yield* Effect.raceFirst(
            Effect.flip(taken(folder)),
            Effect.andThen(Effect.repeat(touched, Schedule.spaced("500 millis")), Effect.never)
          )
          assert.strictEqual(refusal._tag, "FolderLocked")
          utimesSync(lock, new Date(0), new Date(0))
          assert.isUndefined(yield* FolderLock.holder(folder))
          // Watching it would take longer.
          yield* Effect.timeout(taken(folder), "3 seconds")
        }
      }),
    30_000
  )

  it.effect.skipIf(thisNamespace() === undefined)(
    "that another has taken over in the owner's lifetime is told to the owner, who leaves it alone",
    () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        yield* Effect.gen(function* () {
          const { check, generation, overtaken } = yield* FolderLock.acquire(folder, "test")
          yield* check
          writeFileSync(join(folder, "draft"), JSON.stringify({ pid: 4_711, purpose: "journal", owner: "another" }))
          linkSync(join(folder, "draft"), join(folder, `.lock.${generation + 1}`))
          rmSync(join(folder, `.lock.${generation}`))
          const told = yield* Effect.timeout(Effect.flip(overtaken), "10 seconds")
          assert.include(told.message, "process 4711")
          assert.strictEqual((yield* Effect.flip(check))._tag, "FolderOvertaken")
        }).pipe(Effect.scoped)
        assert.deepStrictEqual(locks(folder), [".lock.2"])
        assert.include(readFileSync(join(folder, ".lock.2"), "utf8"), "4711")
      }),
    30_000
  )

  it.effect.skipIf(thisNamespace() === undefined)("that somebody has removed is made anew by its owner", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      yield* FolderLock.acquire(folder, "test")
      const lock = join(folder, ".lock.1")
      const { mtimeMs } = statSync(lock)
      yield* awaited(() => statSync(lock).mtimeMs > mtimeMs)
      rmSync(lock)
      yield* awaited(() => locks(folder).includes(".lock.1"))
    })
  )

  it.effect("tells a folder that cannot be written from one that is held", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "file"), "")
      const refusal = yield* Effect.flip(taken(join(folder, "file", "below")))
      assert.strictEqual(refusal._tag, "FolderUnwritable")
    })
  )
})
