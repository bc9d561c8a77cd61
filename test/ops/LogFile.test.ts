import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hasMounts, mounted } from "../support/mounts.ts"
import { until } from "../support/virtualTime.ts"
import { openLogFile } from "../../src/ops/logging/LogFile.ts"

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "observer log "))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)
const now = Date.parse("2026-11-24T00:00:00Z")
const complain = assert.fail
/** What it complains of; time is real, for a stream answers when it does. */
const listening = () => {
  const complaints: Array<string> = []
  const said = (count: number) => until(() => complaints.length >= count)
  return { complaints, complain: (line: string) => void complaints.push(line), said }
}
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

  it.live("keeps its lines while it cannot be written, says so once, and goes on by itself", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const logDir = join(parent, "log")
      writeFileSync(logDir, "a file where the folder should be")
      const { complain, complaints, said } = listening()
      const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
      yield* Effect.forkScoped(file.watch)
      file.write("on its way", now)
      yield* said(1)
      file.write("while waiting", now)
      assert.include(complaints[0], `cannot write ${join(logDir, "observer.log")}`)

      rmSync(logDir)
      yield* said(2)
      yield* file.close
      assert.deepStrictEqual(linesOf(join(logDir, "observer.log")), ["on its way", "while waiting"])
      assert.strictEqual(file.lost(), 0)
      assert.include(complaints[1], "is written again; 0 lines were lost so far")
    })
  )

  it.live("counts what is lost when it cannot be written for longer than memory lasts", () =>
    Effect.gen(function* () {
      const parent = yield* temporary
      const logDir = join(parent, "log")
      writeFileSync(logDir, "a file where the folder should be")
      const { complain, complaints, said } = listening()
      const file = openLogFile({ logDir, max_mb: 50, days: 14, complain })
      yield* Effect.forkScoped(file.watch)
      for (let index = 0; index < 50; index++) file.write(`${index} ${"x".repeat(100_000)}`, now)
      yield* said(1)
      rmSync(logDir)
      yield* said(2)
      yield* file.close
      const kept = linesOf(join(logDir, "observer.log"))
      assert.strictEqual(kept.length + file.lost(), 50)
      assert.isAbove(kept.length, 35)
      kept.forEach((line, index) => assert.isTrue(line.startsWith(`${index} x`)))
      assert.include(complaints[1], `${file.lost()} lines were lost so far`)
    })
  )

  const removals: ReadonlyArray<readonly [string, (logDir: string) => void]> = [
    ["removed", (logDir) => rmSync(join(logDir, "observer.log"))],
    ["renamed", (logDir) => renameSync(join(logDir, "observer.log"), join(logDir, "mine"))],
    ["removed with its folder", (logDir) => rmSync(logDir, { recursive: true })]
  ]
  for (const [what, remove] of removals) {
    it.live(`is made anew when it was ${what}, with all lines since it was last seen and those to come`, () =>
      Effect.gen(function* () {
        const logDir = join(yield* temporary, "log")
        const { complain, complaints, said } = listening()
        const file = openLogFile({ logDir, max_mb: 1, days: 14, complain })
        yield* Effect.forkScoped(file.watch)
        file.write("first", now)
        yield* until(
          () => existsSync(join(logDir, "observer.log")) && linesOf(join(logDir, "observer.log")).includes("first")
        )
        remove(logDir)
        file.write("into nowhere", now)
        yield* said(1)
        assert.include(complaints[0], "removed or renamed")
        file.write("after", now)
        yield* file.close
        const lines = linesOf(join(logDir, "observer.log"))
        assert.deepStrictEqual(lines.slice(-2), ["into nowhere", "after"])
        assert.strictEqual(file.lost(), 0)
      })
    )
  }

  it.live.skipIf(!hasMounts)("is neither doubled nor torn by a disk that is full for a while", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(1)
      const { complain, said } = listening()
      const file = openLogFile({ logDir: disk.path, max_mb: 50, days: 14, complain })
      yield* Effect.forkScoped(file.watch)
      file.write("before", now)
      writeFileSync(join(disk.path, "filler"), Buffer.alloc(1_000_000))
      const lines = Array.from({ length: 100 }, (_, index) => `${index} ${"y".repeat(2_000)}`)
      for (const line of lines) file.write(line, now)
      yield* said(1)
      rmSync(join(disk.path, "filler"))
      yield* said(2)
      yield* file.close
      assert.deepStrictEqual(linesOf(join(disk.path, "observer.log")), ["before", ...lines])
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
