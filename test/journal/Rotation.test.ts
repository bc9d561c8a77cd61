import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Disk } from "../../src/journal/Disk.ts"
import { origin } from "../../src/journal/Position.ts"
import { type Call, MemoryDisk } from "../support/memoryDisk.ts"
import { countingSleeps } from "../support/wakeUps.ts"
import {
  checkArchive,
  chunk,
  line,
  numberOf,
  openJournal,
  openMs,
  recordsAfter,
  seen,
  settled,
  tempFolder
} from "./fixtures.ts"

const lineBytes = Buffer.byteLength(`${line(seen(1), 1)}\n`)
const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(tempFolder, (folder) => {
    const disk = new MemoryDisk(folder)
    return Effect.provide(use(disk), disk.layer)
  })

const segments = (disk: MemoryDisk) => [...disk.files().keys()].filter((path) => path.includes("/seoul-1-")).sort()
const named = (folder: string, ...names: ReadonlyArray<string>) => names.map((name) => `${folder}/seoul-1-${name}`)

describe("a file of the journal", () => {
  it.effect("is sealed by the first append after it has reached its size", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root, { segment_bytes: lineBytes * 3 })
        yield* journal.append(chunk(1, 2))
        yield* journal.append(chunk(3, 1))
        assert.deepStrictEqual(segments(disk), named("2026/11/24/09", "000000000001.jsonl.open"))
        yield* journal.append(chunk(4, 5))
        yield* journal.append(chunk(9, 1))
        assert.deepStrictEqual(
          segments(disk),
          named("2026/11/24/09", "000000000001.jsonl", "000000000004.jsonl", "000000000009.jsonl.open")
        )
        yield* journal.close
        assert.strictEqual(checkArchive(disk.files()).length, 9)
      })
    )
  )

  it.effect("is sealed when that is asked for, and an ask with nothing written changes nothing", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.rotate
        assert.deepStrictEqual(segments(disk), [])
        yield* journal.append(chunk(1, 2))
        yield* Effect.all([journal.append(chunk(3, 1)), journal.rotate, journal.rotate], { concurrency: "unbounded" })
        assert.deepStrictEqual(segments(disk), named("2026/11/24/09", "000000000001.jsonl"))
        yield* journal.append(chunk(4, 1))
        yield* journal.close
        yield* journal.rotate
        assert.deepStrictEqual(segments(disk), named("2026/11/24/09", "000000000001.jsonl", "000000000004.jsonl"))
        assert.strictEqual(checkArchive(disk.files()).length, 4)
      })
    )
  )

  it.effect("is sealed when its hour of market time ends, though nothing more is appended", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs + 3_599_000)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(segments(disk), named("2026/11/24/09", "000000000001.jsonl.open"))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(segments(disk), named("2026/11/24/09", "000000000001.jsonl"))
        yield* journal.append([seen(2)])
        assert.deepStrictEqual(segments(disk).slice(1), named("2026/11/24/10", "000000000002.jsonl.open"))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(segments(disk).slice(1), named("2026/11/24/10", "000000000002.jsonl.open"))
        yield* journal.close
        assert.strictEqual(checkArchive(disk.files()).length, 2)
      })
    )
  )

  it.effect("is sealed by the hour once, though an append came first", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs + 3_599_500)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        yield* TestClock.adjust("600 millis")
        // The hour's first append is held up in sealing while the watch asks for the rotation too.
        disk.fault = ({ operation }) =>
          operation === "append to" ? { _tag: "Refused", code: "ENOSPC", done: 0 } : undefined
        yield* Effect.forkChild(journal.append([seen(2)]))
        yield* settled
        yield* TestClock.adjust("5 seconds")
        yield* Effect.forkChild(journal.append([seen(3)]))
        yield* settled
        disk.fault = () => undefined
        yield* TestClock.adjust("5 seconds")
        yield* journal.append([seen(4)])
        assert.deepStrictEqual(segments(disk), [
          ...named("2026/11/24/09", "000000000001.jsonl"),
          ...named("2026/11/24/10", "000000000002.jsonl.open")
        ])
      })
    )
  )

  it.effect("is sealed whole though somebody removes it in the moment in which it is renamed", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk(yield* tempFolder)
      yield* TestClock.setTime(openMs)
      yield* Effect.gen(function* () {
        const journal = yield* openJournal(disk.root)
        yield* journal.append(chunk(1, 3))
        const { remove } = yield* Disk
        const fork = Effect.runForkWith(yield* Effect.context<never>())
        let isRemoved = false
        disk.fault = ({ operation, path }) => {
          if (isRemoved || operation !== "rename" || !path.endsWith(".open")) return undefined
          isRemoved = true
          fork(remove(path))
          return { _tag: "Refused", code: "ENOENT", done: 0 }
        }
        const sealing = yield* Effect.forkChild(journal.rotate)
        for (let second = 0; second < 5; second++) {
          yield* settled
          yield* TestClock.adjust("1 second")
        }
        yield* Fiber.join(sealing)
        assert.isTrue(isRemoved)
        yield* journal.append([seen(4)])
        yield* journal.close
      }).pipe(Effect.provide(disk.layer))
      assert.deepStrictEqual(
        checkArchive(disk.files()).flatMap((record) => numberOf(record) ?? []),
        [1, 2, 3, 4]
      )
    })
  )

  it.effect("survives a power cut once it is sealed, manifest and checksums with it", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.append(chunk(1, 3))
        yield* journal.close
        const after = disk.afterPowerCut(() => Buffer.alloc(0))
        assert.deepStrictEqual(checkArchive(after.files()).map(numberOf), [1, 2, 3])
      })
    )
  )

  it.effect("goes into the next day and year at the market's midnight", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse("2026-12-31T14:59:59Z"))
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        yield* TestClock.adjust("1 second")
        yield* journal.append([seen(2)])
        yield* journal.close
        assert.deepStrictEqual(segments(disk), [
          "2026/12/31/23/seoul-1-000000000001.jsonl",
          "2027/01/01/00/seoul-1-000000000002.jsonl"
        ])
        assert.strictEqual(checkArchive(disk.files()).length, 2)
      })
    )
  )

  it.effect("is found by readers and by the next start, though the clock went back over midnight", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const midnight = Date.parse("2026-11-24T15:00:00Z")
        const lives = [midnight - 10_000, midnight + 1_000, midnight - 2_000, midnight + 500]
        for (const [index, atMs] of lives.entries()) {
          yield* TestClock.setTime(atMs)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const journal = yield* openJournal(disk.root)
              assert.strictEqual((yield* journal.append([seen(index + 1)])).first, index + 1)
              yield* journal.close
            })
          )
        }
        assert.strictEqual(checkArchive(disk.files()).length, 4)
        const journal = yield* openJournal(disk.root)
        assert.deepStrictEqual((yield* recordsAfter(journal, origin)).map(numberOf), [1, 2, 3, 4])
      })
    )
  )
})

describe("the sync of a file", () => {
  it.effect("happens in the set time, only while there is something to sync, and is measured then", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const syncs: Array<Call> = []
        disk.fault = (call) => void (call.operation === "fdatasync" && syncs.push(call))
        const journal = yield* openJournal(disk.root, { fsync_ms: 200 })
        yield* TestClock.adjust("1 second")
        yield* journal.append([seen(1)])
        yield* journal.append([seen(2)])
        assert.deepStrictEqual([syncs.length, (yield* journal.status).fsync_ms], [0, undefined])
        yield* TestClock.adjust("200 millis")
        assert.strictEqual(syncs.length, 1)
        assert.isDefined((yield* journal.status).fsync_ms)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(syncs.length, 1)
        yield* journal.append([seen(3)])
        yield* TestClock.adjust("200 millis")
        assert.strictEqual(syncs.length, 2)
      })
    )
  )

  it.effect("wakes nobody while all is durable", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const { provide, sleeps } = yield* countingSleeps
        const journal = yield* provide(openJournal(disk.root, { fsync_ms: 200 }))
        yield* journal.append([seen(1)])
        yield* TestClock.adjust("1 second")
        const before = sleeps()
        yield* TestClock.adjust("1 minute")
        // What is left looks once a second for the end of the hour.
        assert.isAtMost(sleeps() - before, 61)
        yield* journal.append([seen(2)])
        yield* TestClock.adjust("200 millis")
        assert.strictEqual((yield* journal.status).synced.seq, 2)
      })
    )
  )

  it.effect("begins no later than the set time after each record, however they come", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root, { fsync_ms: 200 })
        const appendedMs: Array<number> = []
        const pauses = [1, 199, 200, 201, 5, 5, 400, 50, 150, 1, 1_000, 30]
        for (const pause of pauses.flatMap((ms) => Array.from({ length: ms }, (_, at) => at + 1 === ms))) {
          if (pause) {
            yield* journal.append([seen(appendedMs.length + 1)])
            appendedMs.push(yield* Clock.currentTimeMillis)
          }
          yield* TestClock.adjust("1 millis")
          const nowMs = yield* Clock.currentTimeMillis
          const { synced } = yield* journal.status
          const oldest = appendedMs[synced.seq]
          if (oldest !== undefined) assert.isBelow(nowMs - oldest, 200)
        }
      })
    )
  )

  it.effect("that fails is tried again and stops nothing", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        let refused = 0
        disk.fault = ({ operation }) =>
          operation === "fdatasync" && refused++ < 3 ? { _tag: "Refused", code: "EIO", done: 0 } : undefined
        const journal = yield* openJournal(disk.root, { fsync_ms: 200 })
        yield* journal.append([seen(1)])
        yield* TestClock.adjust("600 millis")
        assert.strictEqual(refused, 3)
        assert.isUndefined((yield* journal.status).fsync_ms)
        yield* TestClock.adjust("200 millis")
        assert.isDefined((yield* journal.status).fsync_ms)
        yield* journal.append([seen(2)])
        yield* journal.close
        assert.strictEqual(checkArchive(disk.files()).length, 2)
      })
    )
  )
})
