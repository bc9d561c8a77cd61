import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeLine } from "../../src/domain/JournalRecord.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { origin } from "../../src/journal/Position.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { passUntil } from "../support/virtualTime.ts"
import {
  checkArchive,
  chunk,
  filesBelow,
  line,
  machineDisk,
  numberOf,
  openJournal,
  openMs,
  recordsAfter,
  seen,
  settled,
  tempFolder
} from "./fixtures.ts"

const onDisk = Effect.provide(machineDisk)
const hour = "2026/11/24/09"

describe("the journal on a real disk", () => {
  it.effect("gives each record the next seq, across appends, files and restarts, and reads them back equal", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const ranges: Array<unknown> = []
      let n = 0
      for (const counts of [[1, 3], [2, 40, 1], [5]]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(dataDir, { segment_bytes: 2_000 })
            for (const count of counts) {
              ranges.push(yield* journal.append(chunk(n + 1, count)))
              n += count
            }
            assert.strictEqual((yield* journal.head).seq, n)
            yield* journal.close
          })
        )
      }
      assert.deepStrictEqual(ranges, [
        { first: 1, last: 1 },
        { first: 2, last: 4 },
        { first: 5, last: 6 },
        { first: 7, last: 46 },
        { first: 47, last: 47 },
        { first: 48, last: 52 }
      ])
      const records = checkArchive(filesBelow(dataDir))
      assert.deepStrictEqual(
        records.map(encodeLine),
        chunk(1, 52).map((draft, index) => line(draft, index + 1))
      )
      const journal = yield* openJournal(dataDir)
      assert.deepStrictEqual(yield* recordsAfter(journal, origin), records)
      const manifest = readFileSync(join(dataDir, "2026/11/24/MANIFEST.jsonl"), "utf8")
      assert.strictEqual(manifest.split("\n").length - 1, 4)
    }).pipe(onDisk)
  )

  it.effect("acknowledges an append only when its lines are in the file", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      const file = join(dataDir, hour, "seoul-1-000000000001.jsonl.open")
      yield* journal.append([seen(1)])
      assert.strictEqual(readFileSync(file, "utf8"), `${line(seen(1), 1)}\n`)
      yield* journal.append(chunk(2, 2))
      assert.strictEqual(readFileSync(file, "utf8").split("\n")[2], line(seen(3), 3))
    }).pipe(onDisk)
  )

  it.effect("keeps every chunk of many that come at once together, and answers each with its own range", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir, { segment_bytes: 20_000 })
      const chunks = Array.from({ length: 400 }, (_, index) => chunk(index * 10 + 1, (index % 5) + 1))
      const ranges = yield* Effect.forEach(chunks, (drafts) => journal.append(drafts), { concurrency: "unbounded" })
      yield* journal.close
      const records = checkArchive(filesBelow(dataDir))
      assert.strictEqual(records.length, 1_200)
      ranges.forEach(({ first, last }, index) => {
        const drafts = chunks[index] ?? []
        assert.strictEqual(last - first + 1, drafts.length)
        assert.deepStrictEqual(
          records.slice(first - 1, last).map(encodeLine),
          drafts.map((draft, place) => line(draft, first + place))
        )
      })
    }).pipe(onDisk)
  )

  it.effect("writes a message of a producer once, however often and however soon it is handed over again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      const from = (number: number, producer = "shard/0") => ({ producer, number })
      const [first, again] = yield* Effect.all(
        [journal.append(chunk(1, 3), from(1)), journal.append(chunk(1, 3), from(1))],
        { concurrency: 2 }
      )
      assert.deepStrictEqual([first, again], [first, first])
      assert.deepStrictEqual(yield* journal.append(chunk(4, 2), from(5)), { first: 4, last: 5 })
      assert.deepStrictEqual(yield* journal.append(chunk(4, 2), from(3)), { first: 4, last: 5 })
      assert.deepStrictEqual(yield* journal.append(chunk(6, 1), from(1, "shard/1")), { first: 6, last: 6 })
      yield* journal.close
      assert.deepStrictEqual(
        checkArchive(filesBelow(dataDir)).map(encodeLine),
        chunk(1, 6).map((draft, index) => line(draft, index + 1))
      )
    }).pipe(onDisk)
  )

  it.effect("writes nothing for an append of nothing", () =>
    Effect.gen(function* () {
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      assert.deepStrictEqual(yield* journal.append([]), { first: 1, last: 0 })
      yield* journal.close
      assert.deepStrictEqual([...filesBelow(dataDir).keys()], [])
    }).pipe(onDisk)
  )

  it.effect("leaves days that sha256sum itself finds unspoilt", () =>
    Effect.gen(function* () {
      const dataDir = yield* tempFolder
      for (const atMs of [openMs, openMs + 3_600_000, openMs + 15 * 3_600_000]) {
        yield* TestClock.setTime(atMs)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(dataDir, { segment_bytes: 1_000 })
            for (let n = 1; n <= 6; n++) yield* journal.append(chunk(n * 10, 3, "값".repeat(50)))
            yield* journal.close
          })
        )
      }
      assert.strictEqual(checkArchive(filesBelow(dataDir)).length, 54)
      for (const day of ["24", "25"]) {
        const said = execFileSync("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: join(dataDir, "2026/11", day) })
        assert.match(said.toString(), /^(\d\d\/seoul-1-\d{12}\.jsonl: OK\n)+$/)
      }
    }).pipe(onDisk)
  )

  it.effect("is refused to a second one in the same folder, naming the process that has it", () =>
    Effect.gen(function* () {
      const dataDir = yield* tempFolder
      yield* Effect.scoped(
        Effect.gen(function* () {
          const first = yield* openJournal(dataDir)
          const refusal = yield* Effect.flip(openJournal(dataDir))
          assert.strictEqual(refusal._tag, "FolderLocked")
          assert.include(refusal.message, `process ${process.pid}`)
          assert.include(refusal.message, dataDir)
          assert.strictEqual((yield* first.append([seen(1)])).last, 1)
        })
      )
      yield* openJournal(dataDir)
    }).pipe(onDisk)
  )

  it.effect("says before the first record that its folder cannot be made", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      writeFileSync(join(folder, "file"), "")
      const refusal = yield* Effect.flip(openJournal(join(folder, "file", "data")))
      assert.strictEqual(refusal._tag, "JournalUnwritable")
      assert.include(refusal.message, "ENOTDIR")
    }).pipe(onDisk)
  )

  it.effect.skipIf(process.getuid?.() === 0)("says before the first record that its folder cannot be written", () =>
    Effect.gen(function* () {
      const folder = join(yield* tempFolder, "data")
      mkdirSync(folder)
      chmodSync(folder, 0o500)
      const refusal = yield* Effect.flip(openJournal(folder))
      assert.include(refusal.message, "EACCES")
    }).pipe(onDisk)
  )

  it.effect("leaves other files alone, whatever they are called", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      mkdirSync(join(dataDir, hour), { recursive: true })
      const foreign = [
        "notes.txt",
        "2026/11/24/09/notes.txt",
        "2026/11/24/09/seoul-1-7.jsonl",
        "2026/11/24/09/busan-000000000900.jsonl",
        "2026/11/24/09/busan-000000000901.jsonl.open",
        "2026/11/24/09/seoul-1-extra-000000000902.jsonl.open"
      ]
      for (const path of foreign) writeFileSync(join(dataDir, path), "kept")
      const journal = yield* openJournal(dataDir)
      yield* journal.append([seen(1)])
      yield* journal.close
      assert.deepStrictEqual((yield* recordsAfter(journal, origin)).map(numberOf), [1])
      for (const path of foreign) assert.strictEqual(readFileSync(join(dataDir, path), "utf8"), "kept")
      assert.isFalse(existsSync(join(dataDir, "quarantine")))
    }).pipe(onDisk)
  )
})

describe("a file that is removed while it is written", () => {
  it.effect("is put back with all that was in it, and the journal goes on in the next", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir, { fsync_ms: 200 })
      yield* journal.append(chunk(1, 3))
      yield* journal.append([seen(4, "x".repeat(2_500_000))])
      rmSync(join(dataDir, "2026"), { recursive: true })
      yield* passUntil(() => existsSync(join(dataDir, hour, "seoul-1-000000000001.jsonl")), 100)
      yield* journal.append(chunk(5, 2))
      yield* journal.close
      assert.deepStrictEqual(checkArchive(filesBelow(dataDir)).map(numberOf), [1, 2, 3, 4, 5, 6])
    }).pipe(onDisk)
  )

  it.effect("is put back by the close that finds it gone, and is waited for while there is no room for it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const disk = new MemoryDisk(yield* tempFolder)
      const journal = yield* Effect.provide(openJournal(disk.root, { fsync_ms: 3_600_000 }), disk.layer)
      yield* journal.append(chunk(1, 3))
      yield* Effect.flatMap(Disk, (real) => real.remove(join(disk.root, hour, "seoul-1-000000000001.jsonl.open"))).pipe(
        Effect.provide(disk.layer)
      )
      disk.fault = ({ operation }) =>
        operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 0.5 } : undefined
      const closing = yield* Effect.forkChild(journal.close)
      yield* settled
      yield* TestClock.adjust("5 seconds")
      yield* settled
      assert.isFalse((yield* journal.status).writable)
      disk.fault = () => undefined
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), [1, 2, 3])
    })
  )
})

describe("a journal that is closed", () => {
  it.effect("has its file sealed, and takes nothing more", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      yield* journal.append([seen(1)])
      yield* journal.close
      assert.strictEqual(checkArchive(filesBelow(dataDir)).length, 1)
      assert.isTrue(Exit.hasDies(yield* Effect.exit(journal.append([seen(2)]))))
    }).pipe(onDisk)
  )

  it.effect("hands a chunk that cannot be written back to its sender, and goes on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      const bad = [[{ ...seen(0), receivedAtMs: Number.NaN }], [seen(0), { ...seen(0), payload: { volume: 1n } }]]
      const exits = yield* Effect.forEach(
        [chunk(1, 2), ...bad, chunk(3, 1)],
        (drafts) => Effect.exit(journal.append(drafts)),
        {
          concurrency: "unbounded"
        }
      )
      assert.deepStrictEqual(exits.map(Exit.hasDies), [false, true, true, false])
      assert.deepStrictEqual(exits[3], Exit.succeed({ first: 3, last: 3 }))
      yield* journal.close
      assert.deepStrictEqual(checkArchive(filesBelow(dataDir)).map(numberOf), [1, 2, 3])
    }).pipe(onDisk)
  )

  it.effect.each([10, 62, 63, 64, 127])("may be closed by two at once, and again, with %i appends before", (before) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const journal = yield* openJournal(yield* tempFolder)
      const appends = yield* Effect.forEach(chunk(1, before), (draft) => Effect.forkChild(journal.append([draft])))
      const first = yield* Effect.forkChild(journal.close)
      const later = yield* Effect.forEach(chunk(201, 100), (draft) =>
        Effect.forkChild(Effect.exit(journal.append([draft])))
      )
      const second = yield* Effect.forkChild(journal.close)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      yield* journal.close
      yield* Effect.forEach(appends, Fiber.join)
      for (const fiber of later) assert.isTrue(Exit.hasDies(yield* Fiber.join(fiber)))
      assert.strictEqual((yield* journal.head).seq, before)
    }).pipe(onDisk)
  )

  it.effect("stores what was handed in before, even what still waited for room", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(openMs)
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      const appends = yield* Effect.forEach(chunk(1, 1_000), (draft) => Effect.forkChild(journal.append([draft])))
      yield* Effect.yieldNow
      yield* journal.close
      yield* Effect.forEach(appends, Fiber.join)
      assert.deepStrictEqual(
        checkArchive(filesBelow(dataDir)).map(numberOf),
        chunk(1, 1_000).map((_, index) => index + 1)
      )
    }).pipe(onDisk)
  )

  it.effect("closed while empty leaves no file", () =>
    Effect.gen(function* () {
      const dataDir = yield* tempFolder
      const journal = yield* openJournal(dataDir)
      yield* journal.close
      assert.deepStrictEqual([...filesBelow(dataDir).keys()], [])
    }).pipe(onDisk)
  )
})
