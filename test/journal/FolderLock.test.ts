import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { fork, type ChildProcess } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
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

  it.effect("tells a folder that cannot be written from one that is held", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "file"), "")
      const refusal = yield* Effect.flip(taken(join(folder, "file", "below")))
      assert.strictEqual(refusal._tag, "FolderUnwritable")
    })
  )
})
