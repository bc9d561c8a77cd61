import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openLogFile } from "../../src/ops/logging/LogFile.ts"

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "observer log "))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)
const now = Date.parse("2026-11-24T00:00:00Z")
const complain = assert.fail
const linesOf = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n")

describe("the log file", () => {
  it.live("is rotated by size without losing or tearing a line", () =>
    Effect.gen(function* () {
      const logDir = yield* temporary
      const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
      const lines = Array.from({ length: 35 }, (_, index) => `${index} ${"x".repeat(100_000)}`)
      for (const line of lines) file.write(line, now)
      yield* file.close
      const names = readdirSync(logDir).sort()
      assert.strictEqual(names.length, 4)
      for (const name of names) assert.match(name, /^observer(-\d{8}-[123])?\.log$/)
      const [rotated, current] = [names.filter((name) => name !== "observer.log"), "observer.log"]
      const found = [...rotated, current].flatMap((name) => linesOf(join(logDir, name)))
      assert.deepStrictEqual(found, lines)
      assert.strictEqual(file.lost(), 0)
    })
  )

  it.live("goes on where the last run ended", () =>
    Effect.gen(function* () {
      const logDir = yield* temporary
      for (const line of ["first", "second"]) {
        const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
        file.write(line, now)
        yield* file.close
      }
      assert.deepStrictEqual(linesOf(join(logDir, "observer.log")), ["first", "second"])
    })
  )

  it.live("keeps rotated files for so many days and twice as many files, and touches no others", () =>
    Effect.gen(function* () {
      const logDir = yield* temporary
      const names = [
        "observer-20261109-1.log",
        "observer-20261110-9.log",
        ...Array.from({ length: 27 }, (_, index) => `observer-20261123-${index + 1}.log`),
        "observer-notes.log",
        "other-20200101-1.log"
      ]
      for (const name of names) writeFileSync(join(logDir, name), "")
      const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
      file.write("line", now)
      yield* file.close
      const left = new Set(readdirSync(logDir))
      assert.deepStrictEqual(
        names.filter((name) => !left.has(name)),
        ["observer-20261109-1.log"]
      )
      const shorter = openLogFile({ logDir, max_mb: 1, days: 5, complain })
      shorter.write("line", now)
      yield* shorter.close
      const rotated = readdirSync(logDir).filter((name) => /^observer-\d/.test(name))
      assert.sameMembers(
        rotated,
        Array.from({ length: 10 }, (_, index) => `observer-20261123-${index + 18}.log`)
      )
    })
  )

  it.live("costs lines and one complaint when it cannot be written, and is tried again", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const logDir = join(parent, "log")
      writeFileSync(logDir, "a file where the folder should be")
      const complaints: Array<string> = []
      const failed = yield* Deferred.make<void>()
      const mended = yield* Deferred.make<void>()
      const file = openLogFile({
        logDir,
        max_mb: 1,
        days: 14,
        complain: (line) => {
          complaints.push(line)
          Deferred.doneUnsafe(complaints.length === 1 ? failed : mended, Effect.void)
        }
      })
      file.write("lost on its way", now)
      yield* Deferred.await(failed)
      file.write("lost while waiting", now + 9_999)
      assert.strictEqual(complaints.length, 1)
      assert.include(complaints[0], `cannot write ${join(logDir, "observer.log")}`)

      rmSync(logDir)
      file.write("stored", now + 10_000)
      yield* Deferred.await(mended)
      yield* file.close
      assert.deepStrictEqual(linesOf(join(logDir, "observer.log")), ["stored"])
      assert.strictEqual(file.lost(), 2)
      assert.include(complaints[1], "2 lines were lost so far")
    })
  )

  it.live("takes no more lines once it is closed", () =>
    Effect.gen(function* () {
      const logDir = yield* temporary
      const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
      file.write("last", now)
      yield* file.close
      file.write("too late", now)
      assert.deepStrictEqual(linesOf(join(logDir, "observer.log")), ["last"])
    })
  )

  it.live("opens nothing before the first line", () =>
    Effect.gen(function* () {
      const logDir = join(yield* temporary, "log")
      yield* openLogFile({ logDir, max_mb: 1, days: 14, complain }).close
      assert.isFalse(existsSync(logDir))
    })
  )
})
