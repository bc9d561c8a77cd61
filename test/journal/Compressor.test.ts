import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Logger, Schema } from "effect"
import { TestClock } from "effect/testing"
import { gunzipSync } from "node:zlib"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { Compressor } from "../../src/journal/Compressor.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"
import { type Call, type Fault, MemoryDisk, type Tail } from "../support/memoryDisk.ts"
import { passUntil } from "../support/virtualTime.ts"
import {
  checkArchive,
  chunk,
  type JournalShape,
  numberOf,
  openJournal,
  openMs,
  recordsAfter,
  seen,
  settled,
  tempFolder
} from "./fixtures.ts"

const segment_bytes = 600

/** Starts a compressor beside a journal; it ends with the scope. */
const startCompressor = Effect.fnUntraced(function* (disk: MemoryDisk, journal: JournalShape, after_minutes = 0) {
  const layer = Layer.fresh(Compressor.layer({ dataDir: disk.root, after_minutes })).pipe(
    Layer.provide(Layer.fresh(Supervisor.layer)),
    Layer.provide(Layer.succeed(Journal, journal))
  )
  const { start } = Context.get(yield* Layer.build(layer), Compressor)
  yield* start
})

const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(openMs)
    const disk = new MemoryDisk(yield* tempFolder)
    return yield* Effect.provide(use(disk), disk.layer)
  })

const named = (disk: MemoryDisk, pattern: RegExp) => [...disk.files().keys()].filter((path) => pattern.test(path))
const plain = (disk: MemoryDisk) => named(disk, /\/seoul-1-\d+\.jsonl$/)
const compressed = (disk: MemoryDisk) => named(disk, /\.jsonl\.gz$/)
const drafts = (disk: MemoryDisk) => named(disk, /\.new$/)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Appends until some files have been sealed; the last one stays open. */
const writeSome = (journal: JournalShape, first = 1, count = 12) =>
  Effect.forEach(chunk(first, count), (draft) => journal.append([draft]), { discard: true })

describe("sealed files", () => {
  it.effect("are compressed, the oldest first, once they have been sealed for so long, and hold what they held", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        disk.fault = ({ operation, path }) =>
          void (operation === "rename" && path.endsWith(".gz.new") && order.push(path))
        const journal = yield* openJournal(disk.root, { segment_bytes })
        yield* writeSome(journal)
        const early = plain(disk)
        yield* startCompressor(disk, journal, 30)
        yield* TestClock.adjust("15 minutes")
        yield* writeSome(journal, 13, 6)
        yield* TestClock.adjust("14 minutes")
        yield* settled
        assert.deepStrictEqual(compressed(disk), [])
        yield* passUntil(() => compressed(disk).length === early.length && plain(disk).length > 0, 1_000)
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(
          compressed(disk),
          early.map((path) => `${path}.gz`)
        )
        assert.deepStrictEqual(
          order,
          early.map((path) => `${disk.root}/${path}.gz.new`)
        )
        yield* passUntil(() => plain(disk).length === 0, 1_000)
        assert.deepStrictEqual((yield* recordsAfter(journal, origin)).map(numberOf), upTo(18))
        yield* journal.append([seen(19)])
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), upTo(19))
        assert.deepStrictEqual(drafts(disk), [])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("of all days are compressed by the first look, and those of a clock that went back later", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        for (const days of [0, 1, 40]) {
          yield* TestClock.setTime(openMs + days * 86_400_000)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const journal = yield* openJournal(disk.root)
              yield* journal.append([seen(days)])
              yield* journal.close
            })
          )
        }
        yield* TestClock.setTime(openMs + 2 * 86_400_000)
        const journal = yield* openJournal(disk.root, { segment_bytes })
        yield* startCompressor(disk, journal)
        yield* passUntil(() => compressed(disk).length === 3 && plain(disk).length === 0, 1_000)
        yield* writeSome(journal)
        yield* passUntil(() => compressed(disk).length === 6 && plain(disk).length === 0, 1_000)
        yield* journal.close
        assert.strictEqual(checkArchive(disk.files()).length, 15)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("are left alone where they are not what was sealed, which is said once", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const said: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => void (logLevel === "Error" && said.push(String(message))))
        const journal = yield* openJournal(disk.root, { segment_bytes })
        yield* writeSome(journal)
        const [bad = "", ...good] = plain(disk)
        const spoilt = Buffer.from(disk.files().get(bad) ?? "")
        spoilt[40] = (spoilt[40] ?? 0) ^ 1
        disk.put(bad, spoilt)
        yield* Effect.gen(function* () {
          yield* startCompressor(disk, journal)
          yield* passUntil(() => compressed(disk).length === good.length && plain(disk).length === 1, 1_000)
          yield* TestClock.adjust("3 hours")
        }).pipe(Effect.provide(Logger.layer([logger])))
        assert.deepStrictEqual([plain(disk), drafts(disk)], [[bad], []])
        assert.deepStrictEqual(disk.files().get(bad), spoilt)
        assert.strictEqual(said.length, 1)
        assert.include(said[0], `${disk.root}/${bad} is not what was sealed`)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("wait while the disk is full, without a word to the journal, and leave no draft on it meanwhile", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { segment_bytes })
        yield* writeSome(journal)
        let refused = 0
        disk.fault = ({ operation, path }) =>
          operation === "write" && path.endsWith(".gz.new") && ++refused > 0
            ? { _tag: "Refused", code: "ENOSPC", done: 0.5 }
            : undefined
        yield* startCompressor(disk, journal)
        yield* passUntil(() => refused >= 3, 1_000)
        yield* settled
        assert.deepStrictEqual(drafts(disk), [])
        yield* journal.append([seen(13)])
        assert.isTrue((yield* journal.status).writable)
        disk.fault = () => undefined
        yield* passUntil(() => plain(disk).length === 0, 1_000)
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), upTo(13))
      }).pipe(Effect.scoped)
    )
  )

  it.effect("are not compressed while the journal itself waits for room", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { segment_bytes })
        yield* writeSome(journal)
        let drafted = 0
        disk.fault = ({ operation, path }) => {
          if (path.endsWith(".gz.new")) drafted += 1
          return operation === "write" && path.endsWith(".open")
            ? { _tag: "Refused", code: "ENOSPC", done: 0 }
            : undefined
        }
        const waiting = yield* Effect.forkChild(journal.append([seen(13)]))
        yield* settled
        yield* startCompressor(disk, journal)
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(drafted, 0)
        disk.fault = () => undefined
        yield* passUntil(() => plain(disk).length === 0, 1_000)
        yield* Fiber.join(waiting)
      }).pipe(Effect.scoped)
    )
  )
})

/** Appends and compresses until the process is killed, or all of it is done. */
const lived = (disk: MemoryDisk, acknowledged: Array<number>) =>
  Effect.gen(function* () {
    const journal = yield* openJournal(disk.root, { segment_bytes, fsync_ms: 50 })
    const first = (yield* journal.head).seq + 1
    yield* startCompressor(disk, journal)
    for (let n = first; n < first + 12; n++) {
      yield* journal.append([seen(n)])
      acknowledged.push(n)
      yield* settled
    }
    yield* passUntil(() => plain(disk).length === 0 && compressed(disk).length > 0, 200)
    yield* journal.close
  }).pipe(Effect.scoped, Effect.raceFirst(Deferred.await(disk.killed)), Effect.provide(disk.layer))

/** What another life makes of a disk: everything readable at once, and in the end everything compressed and entered. */
const checkAfterwards = Effect.fnUntraced(function* (disk: MemoryDisk, least: number) {
  const journal = yield* openJournal(disk.root, { segment_bytes })
  const kept = (yield* journal.head).seq
  assert.isAtLeast(kept, least)
  assert.deepStrictEqual((yield* recordsAfter(journal, origin)).map(numberOf), upTo(kept))
  yield* startCompressor(disk, journal)
  yield* passUntil(() => plain(disk).length === 0, 1_000)
  yield* journal.append([seen(kept + 1)])
  yield* journal.close
  assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), upTo(kept + 1))
  assert.deepStrictEqual(drafts(disk), [])
})

const callsOfALife = Effect.gen(function* () {
  yield* TestClock.setTime(openMs)
  const disk = new MemoryDisk(yield* tempFolder)
  const calls: Array<Call> = []
  disk.fault = (call) => void calls.push(call)
  yield* lived(disk, [])
  return calls
})

const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 239 }))
const tails: ReadonlyArray<Tail> = [
  () => Buffer.alloc(0),
  (unsynced) => unsynced,
  (unsynced) => Buffer.alloc(unsynced.length)
]

describe("a process that is killed while it compresses", () => {
  it.effect(
    "in any call to the disk loses nothing, and the next one finishes what it left undone",
    () =>
      Effect.gen(function* () {
        const calls = yield* callsOfALife
        const writes = calls.filter(({ operation }) => !["read", "list", "look at"].includes(operation))
        assert.isAbove(writes.filter(({ path }) => path.endsWith(".gz.new")).length, 10)
        for (const { index, operation } of writes) {
          for (const done of operation === "write" ? [0, 0.5] : [0]) {
            yield* Effect.gen(function* () {
              yield* TestClock.setTime(openMs)
              const disk = new MemoryDisk(yield* tempFolder)
              disk.fault = (call): Fault | undefined => (call.index === index ? { _tag: "Killed", done } : undefined)
              const acknowledged: Array<number> = []
              yield* lived(disk, acknowledged)
              const next = disk.afterKill()
              yield* Effect.provide(checkAfterwards(next, acknowledged.length), next.layer)
            }).pipe(Effect.scoped)
          }
        }
      }),
    120_000
  )

  it.effect.prop(
    "by a power cut has every sealed file whole, in one form or the other",
    [Place, Schema.Literals([0, 0.5]), Schema.Literals([0, 1, 2])],
    ([index, done, which]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const disk = new MemoryDisk(yield* tempFolder)
        disk.fault = (call): Fault | undefined => (call.index === index ? { _tag: "Killed", done } : undefined)
        yield* lived(disk, [])
        const sealed = disk.files().get("2026/11/24/MANIFEST.jsonl")?.toString().split("\n").length ?? 1
        const next = disk.afterPowerCut(tails[which] ?? ((unsynced) => unsynced))
        yield* Effect.provide(checkAfterwards(next, Math.max(0, sealed - 2)), next.layer)
        for (const path of compressed(next)) gunzipSync(next.files().get(path) ?? "")
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 100 }, timeout: 120_000 }
  )
})

const Refusal = Schema.Struct({
  nth: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 })),
  times: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
  code: Schema.Literals(["ENOSPC", "EROFS", "EIO", "EACCES", "EMFILE"]),
  done: Schema.Literals([0, 0.5, 1])
})

describe("a disk whose nth call fails", () => {
  it.effect.prop(
    "in appending, rotating, sealing or compressing, for a while, and a kill after it: all that was acknowledged is there in order",
    [Schema.Array(Refusal), Schema.Int.check(Schema.isBetween({ minimum: 20, maximum: 500 }))],
    ([refusals, killAt]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const disk = new MemoryDisk(yield* tempFolder)
        let born = false
        disk.fault = ({ index }) => {
          if (!born) return undefined
          if (index === killAt) return { _tag: "Killed", done: 0.5 }
          const met = refusals.find(({ nth, times }) => index >= nth && index < nth + times)
          return met && { _tag: "Refused", code: met.code, done: met.done }
        }
        const acknowledged: Array<number> = []
        yield* Effect.gen(function* () {
          const journal = yield* openJournal(disk.root, { segment_bytes, fsync_ms: 100 })
          born = true
          yield* startCompressor(disk, journal)
          yield* Effect.forkScoped(
            Effect.forEach(upTo(25), (n) =>
              Effect.tap(journal.append([seen(n)]), () => Effect.sync(() => acknowledged.push(n)))
            )
          )
          let turns = 120
          yield* passUntil(() => turns-- === 0, 1_000)
        }).pipe(Effect.scoped, Effect.raceFirst(Deferred.await(disk.killed)), Effect.provide(disk.layer))
        const next = disk.afterKill()
        const journal = yield* Effect.provide(openJournal(next.root), next.layer)
        const records = yield* Effect.provide(recordsAfter(journal, origin), next.layer)
        assert.deepStrictEqual(
          records.map(({ seq }) => seq),
          upTo(records.length)
        )
        const stored = records.map(numberOf).filter((n) => n !== undefined)
        assert.deepStrictEqual(stored.slice(0, acknowledged.length), acknowledged)
        assert.deepStrictEqual(stored, upTo(stored.length))
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 60, size: 8 }, timeout: 120_000 }
  )
})
