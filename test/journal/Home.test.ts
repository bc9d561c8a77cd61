import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { thisNamespace } from "../../src/journal/BootId.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { FolderLock } from "../../src/journal/FolderLock.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { hasMounts, mounted } from "../support/mounts.ts"
import { checkArchive, filesBelow, type JournalShape, machineDisk, numberOf, openJournal, seen } from "./fixtures.ts"

/** Time is real here: what is watched are the machine's own folders. */
const awaited = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(isSo, { schedule: Schedule.spaced("50 millis"), until: (is) => is }).pipe(Effect.timeout("10 seconds"))
const isWritable = (journal: JournalShape) => Effect.map(journal.status, ({ writable }) => writable)
const isThere = (path: string) => Effect.sync(() => existsSync(path))
const lockOf = (folder: string) => readdirSync(folder).filter((name) => name.startsWith(".lock."))
const openFile = (dataDir: string) =>
  join(
    dataDir,
    readdirSync(dataDir, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(".open")) ?? "?"
  )
const numbersOf = (dataDir: string) =>
  checkArchive(filesBelow(dataDir))
    .map(numberOf)
    .filter((n) => n !== undefined)
/** The lines of this day are of now. */
const now = (n: number) => ({ ...seen(n), receivedAtMs: Date.now() })

const removals: ReadonlyArray<readonly [string, (dataDir: string) => void]> = [
  ["removed", (dataDir) => rmSync(dataDir, { recursive: true })],
  ["removed and made anew, empty", (dataDir) => (rmSync(dataDir, { recursive: true }), mkdirSync(dataDir))],
  ["renamed", (dataDir) => renameSync(dataDir, `${dataDir}.away`)]
]

describe("a data folder that is there no more", () => {
  for (const [what, remove] of removals) {
    it.live(
      `because it was ${what} is made anew with its lock and the file being written, though nothing is appended`,
      () =>
        Effect.gen(function* () {
          const dataDir = join(yield* scratchFolder, "data")
          const journal = yield* openJournal(dataDir)
          yield* journal.append([now(1), now(2)])
          const [file, locks] = [openFile(dataDir), lockOf(dataDir)]
          remove(dataDir)
          yield* awaited(isThere(join(dataDir, locks[0] ?? "?")))
          // A file that was put back is sealed: its numbers are in the lists again.
          yield* awaited(isThere(file.replace(/\.open$/, "")))
          assert.deepStrictEqual(lockOf(dataDir), locks)
          const refusal = yield* Effect.flip(Effect.scoped(FolderLock.acquire(dataDir, "second")))
          assert.strictEqual(refusal._tag, "FolderLocked")
          yield* journal.append([now(3)])
          yield* journal.close
          assert.deepStrictEqual(numbersOf(dataDir), [1, 2, 3])
        }).pipe(Effect.provide(machineDisk))
    )
  }

  it.live("is left alone while another process owns the one in its place, and nothing is lost meanwhile", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* scratchFolder, "data")
      const journal = yield* openJournal(dataDir)
      yield* journal.append([now(1)])
      rmSync(dataDir, { recursive: true })
      mkdirSync(dataDir)
      writeFileSync(join(dataDir, ".lock.1"), JSON.stringify({ pid: process.ppid, purpose: "journal" }))
      yield* awaited(Effect.map(isWritable(journal), (is) => !is))
      assert.include((yield* journal.status).reason, `in use by process ${process.ppid}`)
      const waiting = yield* Effect.forkChild(journal.append([now(2)]))
      assert.deepStrictEqual(readdirSync(dataDir), [".lock.1"])
      rmSync(join(dataDir, ".lock.1"))
      yield* Fiber.join(waiting)
      yield* journal.close
      assert.deepStrictEqual(numbersOf(dataDir), [1, 2])
    }).pipe(Effect.provide(machineDisk))
  )

  it.live.skipIf(!hasMounts)("because it was unmounted is waited for: nothing is written under the mount's place", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(16)
      const journal = yield* openJournal(disk.path)
      yield* journal.append([now(1)])
      disk.unmount()
      yield* awaited(Effect.map(isWritable(journal), (is) => !is))
      assert.include((yield* journal.status).reason, "another file system is there")
      const waiting = yield* Effect.forkChild(journal.append([now(2)]))
      // The writer has it in hand, and has tried.
      yield* awaited(Effect.map(journal.status, ({ waitingAppends }) => waitingAppends === 0))
      assert.deepStrictEqual(readdirSync(disk.path), [])
      assert.isUndefined(waiting.pollUnsafe())
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.provide(machineDisk))
  )

  it.live.skipIf(!hasMounts)("because it was covered by another file system goes on when that is gone", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(16)
      const journal = yield* openJournal(disk.path)
      yield* journal.append([now(1)])
      disk.mount()
      yield* awaited(Effect.map(isWritable(journal), (is) => !is))
      const waiting = yield* Effect.forkChild(journal.append([now(2)]))
      // The writer has it in hand, and has tried.
      yield* awaited(Effect.map(journal.status, ({ waitingAppends }) => waitingAppends === 0))
      assert.deepStrictEqual(readdirSync(disk.path), [])
      disk.unmount()
      yield* Fiber.join(waiting)
      yield* journal.close
      assert.deepStrictEqual(numbersOf(disk.path), [1, 2])
    }).pipe(Effect.provide(machineDisk))
  )
})

describe.skipIf(thisNamespace() === undefined)("a data folder that another process has taken over", () => {
  it.live("is written no more, not even to close: the record in it is the other's", () =>
    Effect.gen(function* () {
      const dataDir = join(yield* scratchFolder, "data")
      const journal = yield* openJournal(dataDir)
      yield* journal.append([now(1)])
      const [lock] = lockOf(dataDir)
      writeFileSync(join(dataDir, ".lock.2"), JSON.stringify({ pid: 4_711, purpose: "journal", owner: "another" }))
      rmSync(join(dataDir, lock ?? "?"))
      const told = yield* Effect.timeout(Effect.flip(journal.overtaken), "10 seconds")
      assert.include(told.message, "process 4711")
      const before = filesBelow(dataDir)
      const waiting = yield* Effect.forkChild(journal.append([now(2)]))
      yield* Effect.timeout(journal.close, "5 seconds")
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(filesBelow(dataDir), before)
      assert.isTrue(before.has(relative(dataDir, openFile(dataDir))))
    }).pipe(Effect.provide(machineDisk))
  )
})

describe("the machine's disk", () => {
  it.live("tells a folder from the one that was there before under the same name", () =>
    Effect.gen(function* () {
      const folder = join(yield* scratchFolder, "folder")
      const disk = yield* Disk
      assert.isUndefined(yield* disk.identity(folder))
      mkdirSync(folder)
      const first = yield* disk.identity(folder)
      assert.strictEqual(first?.kind, "folder")
      writeFileSync(join(folder, "file"), "")
      assert.deepStrictEqual(yield* disk.identity(folder), first)
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      assert.notStrictEqual((yield* disk.identity(folder))?.key, first?.key)
    }).pipe(Effect.provide(machineDisk))
  )
})
