import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { drive, type Follower } from "../../src/journal/Follower.ts"
import { Journal, origin, type Position } from "../../src/journal/Journal.ts"
import { type Fault, MemoryDisk, type Tail } from "../support/memoryDisk.ts"
import {
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

class Never extends Data.TaggedError("Never")<{ readonly message: string }> {}

/** A follower that stores at once, and a store that outlives the machine. */
const storing = (stored: Array<number | undefined>, durable: boolean): Follower<Never> => {
  let at: Position = origin
  return {
    name: "storing",
    batchSize: 7,
    linger: "1 millis",
    durable,
    cursor: Effect.sync(() => at),
    write: (batch, _, to) =>
      Effect.sync(() => {
        stored.push(...batch.map(numberOf))
        at = to
      })
  }
}

const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(openMs)
    const disk = new MemoryDisk(yield* tempFolder)
    return yield* Effect.provide(use(disk), disk.layer)
  })

const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 150 }))
const tails: ReadonlyArray<Tail> = [
  () => Buffer.alloc(0),
  (unsynced) => unsynced.subarray(0, unsynced.length / 2),
  (unsynced) => Buffer.alloc(unsynced.length)
]

/** Appends with pauses in which some of it is synced, until the power is cut; gives what the follower has stored. */
const livesUntilCut = (disk: MemoryDisk, durable: boolean, first: number, stored: Array<number | undefined>) =>
  Effect.gen(function* () {
    const journal = yield* openJournal(disk.root, { segment_bytes: 900, fsync_ms: 30 })
    const { run } = yield* Effect.provideService(drive(storing(stored, durable)), Journal, journal)
    yield* Effect.forkScoped(run)
    for (let n = 0; n < 14; n++) {
      yield* journal.append(chunk(first + n * 2, 2))
      yield* TestClock.adjust([0, 10, 0, 25, 5][n % 5] ?? 0)
    }
    yield* journal.close
    yield* TestClock.adjust("1 second")
  }).pipe(Effect.scoped, Effect.raceFirst(Deferred.await(disk.killed)), Effect.provide(disk.layer))

describe("a follower of what is durable", () => {
  it.effect.prop(
    "has stored nothing that a power cut took from the journal, also one in a recovery from a kill",
    [Place, Place, Schema.Literals([0, 0.5]), Schema.Literals([0, 1, 2])],
    ([index, again, done, which]) =>
      onMemory((disk) =>
        Effect.gen(function* () {
          const killedAt =
            (at: number) =>
            (call: { readonly index: number }): Fault | undefined =>
              call.index === at ? { _tag: "Killed", done } : undefined
          disk.fault = killedAt(index)
          yield* livesUntilCut(disk, true, 1, [])
          const second = disk.afterKill()
          const stored: Array<number | undefined> = []
          second.fault = killedAt(again)
          yield* livesUntilCut(second, true, 1_000, stored)
          const third = second.afterPowerCut(tails[which] ?? ((unsynced) => unsynced))
          const journal = yield* Effect.provide(openJournal(third.root), third.layer)
          const kept = (yield* Effect.provide(recordsAfter(journal, origin), third.layer)).map(numberOf)
          assert.deepStrictEqual(stored, kept.slice(0, stored.length))
        }).pipe(Effect.scoped)
      ),
    { arbitrary: { runs: 150 }, timeout: 60_000 }
  )

  it.effect("is given a record once it has been synced, and to the end when the journal is closed", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { fsync_ms: 1_000 })
        const stored: Array<number | undefined> = []
        const live: Array<number | undefined> = []
        const driver = yield* Effect.gen(function* () {
          const durable = yield* drive(storing(stored, true))
          const atHead = yield* drive(storing(live, false))
          yield* Effect.forkScoped(atHead.run)
          return { fiber: yield* Effect.forkScoped(durable.run), status: durable.status }
        }).pipe(Effect.provideService(Journal, journal))
        yield* settled
        yield* TestClock.adjust("10 millis")
        yield* journal.append(chunk(1, 3))
        yield* TestClock.adjust("900 millis")
        assert.deepStrictEqual([live, stored], [[1, 2, 3], []])
        assert.strictEqual((yield* driver.status).lag_records, 3)
        yield* TestClock.adjust("110 millis")
        assert.deepStrictEqual(stored, [1, 2, 3])
        yield* journal.append(chunk(4, 2))
        yield* journal.close
        yield* TestClock.adjust("10 millis")
        yield* Fiber.join(driver.fiber)
        assert.deepStrictEqual(stored, [1, 2, 3, 4, 5])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("waits while the disk does not sync, and takes a sealed file for durable", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { fsync_ms: 100, segment_bytes: 300 })
        const stored: Array<number | undefined> = []
        const { run } = yield* Effect.provideService(drive(storing(stored, true)), Journal, journal)
        yield* Effect.forkScoped(run)
        let refuses = true
        disk.fault = ({ operation, path }) =>
          refuses && operation === "fdatasync" && path.endsWith(".open")
            ? { _tag: "Refused", code: "EIO", done: 0 }
            : undefined
        yield* journal.append(chunk(1, 3))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(stored, [])
        refuses = false
        yield* journal.append(chunk(4, 1))
        yield* TestClock.adjust("2 millis")
        assert.deepStrictEqual(stored, [1, 2, 3])
      }).pipe(Effect.scoped)
    )
  )
})

describe("an fdatasync that follows a failed one", () => {
  it.effect("makes durable what the failed one could not write, though the system holds it for clean", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const disk = new MemoryDisk(folder)
      yield* Effect.gen(function* () {
        const journal = yield* Effect.provide(openJournal(folder, { fsync_ms: 100 }), disk.layer)
        let refusals = 1
        disk.fault = ({ operation, path }) =>
          operation === "fdatasync" && path.endsWith(".open") && refusals-- > 0
            ? { _tag: "Refused", code: "EIO", done: 0 }
            : undefined
        yield* journal.append(chunk(1, 3))
        yield* TestClock.adjust("150 millis")
        yield* journal.append(chunk(4, 2))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* journal.status).synced.seq, 5)
      }).pipe(Effect.scoped)
      const after = disk.afterPowerCut(() => Buffer.alloc(0))
      const again = yield* Effect.provide(openJournal(folder), after.layer)
      assert.strictEqual(again.recovered.head.seq, 5)
    }).pipe(Effect.scoped)
  )
})

describe("the bytes that a follower lags", () => {
  it.effect.prop(
    "are those of the files between its cursor and the head, whatever has been stored and appended since",
    [
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))),
      Schema.Array(Schema.Literals(["good", "refused", "lostAnswer"])),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
    ],
    ([counts, luck, begin]) =>
      onMemory((disk) =>
        Effect.gen(function* () {
          let sent = 0
          const places: Array<Position> = [origin]
          const append = Effect.fnUntraced(function* (journal: JournalShape, count: number) {
            for (let n = 0; n < count; n++) {
              yield* journal.append([seen(sent++)])
              places.push(yield* journal.head)
            }
          })
          yield* Effect.scoped(
            Effect.flatMap(openJournal(disk.root, { segment_bytes: 700 }), (journal) =>
              Effect.andThen(append(journal, 20), journal.close)
            )
          )
          const journal = yield* openJournal(disk.root, { segment_bytes: 700 })
          let at = places[Math.min(begin, sent)] ?? origin
          let down = true
          const tries = [...luck]
          const refused = Effect.fail(new Never({ message: "the server is starting up" }))
          const follower: Follower<Never> = {
            ...storing([], false),
            batchSize: 3,
            cursor: Effect.suspend(() => (down ? refused : Effect.succeed(at))),
            write: (_, __, to) =>
              Effect.suspend(() => {
                const met = down ? "refused" : (tries.shift() ?? "good")
                if (met !== "refused") at = to
                return met === "good" ? Effect.void : refused
              })
          }
          const { run, status } = yield* Effect.provideService(drive(follower), Journal, journal)
          yield* Effect.forkScoped(run)
          yield* settled
          const expected = () => {
            const files = new Map<string, number>()
            for (const { byteOffset, file, seq } of places) if (seq > at.seq) files.set(file, byteOffset)
            const all = [...files.values()].reduce((sum, bytes) => sum + bytes, 0)
            return files.has(at.file) ? all - at.byteOffset : all
          }
          const check = Effect.gen(function* () {
            const { lag_bytes, seq } = yield* status
            if (seq === at.seq) assert.strictEqual(lag_bytes, expected())
          })
          assert.strictEqual((yield* status).lag_bytes, 0)
          down = false
          yield* TestClock.adjust("1 minute")
          for (const [index, count] of counts.entries()) {
            down = index % 3 === 1
            yield* append(journal, count)
            yield* settled
            yield* check
            yield* TestClock.adjust("20 millis")
            yield* check
          }
          down = false
          yield* TestClock.adjust("5 minutes")
          assert.deepInclude(yield* status, { seq: sent, lag_bytes: 0 })
        }).pipe(Effect.scoped)
      ),
    { arbitrary: { runs: 60, size: 10 } }
  )

  it.effect("cost no call to the disk to be asked for", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const journal = yield* openJournal(disk.root, { fsync_ms: 3_600_000 })
        yield* journal.append(chunk(1, 10))
        const { run, status } = yield* Effect.provideService(
          drive({ ...storing([], false), write: () => Effect.never }),
          Journal,
          journal
        )
        yield* Effect.forkScoped(run)
        yield* settled
        yield* TestClock.adjust("1 second")
        const calls = disk.calls
        for (let n = 0; n < 100; n++) assert.isAbove((yield* status).lag_bytes, 1_000)
        assert.strictEqual(disk.calls, calls)
      }).pipe(Effect.scoped)
    )
  )
})

/** Everything that nothing refers to is gone when this returns. */
const collectGarbage = Effect.promise(async () => {
  setFlagsFromString("--expose-gc")
  const gc: () => void = runInNewContext("gc")
  for (let n = 0; n < 4; n++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
})

describe("the memory of a follower", () => {
  it.effect(
    "that is 200,000 records behind holds a batch of them, as one that is 2,000 behind",
    () =>
      onMemory((disk) =>
        Effect.gen(function* () {
          const journal = yield* openJournal(disk.root, { fsync_ms: 3_600_000 })
          for (let n = 0; n < 210; n++) yield* journal.append(chunk(n * 1_000 + 1, 1_000))
          const held = Effect.fnUntraced(function* (behind: number) {
            const given: Array<WeakRef<object>> = []
            const watched: JournalShape = {
              ...journal,
              next: (from, end) =>
                Effect.tap(journal.next(from, end), (next) =>
                  Effect.sync(() => next?.records.forEach((record) => given.push(new WeakRef(record))))
                )
            }
            const head = yield* journal.head
            let at: Position = { ...head, seq: head.seq - behind, file: "", byteOffset: 0 }
            const target = at.seq + Math.min(behind, 20_000)
            const reached = yield* Deferred.make<void>()
            const follower: Follower<Never> = {
              ...storing([], false),
              batchSize: 1_000,
              cursor: Effect.sync(() => at),
              write: (_, __, to) =>
                Effect.suspend(() => {
                  at = to
                  return to.seq < target
                    ? Effect.void
                    : Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
                })
            }
            const { run } = yield* Effect.provideService(drive(follower), Journal, watched)
            const fiber = yield* Effect.forkScoped(run)
            yield* Effect.repeat(Effect.andThen(TestClock.adjust("100 millis"), settled), {
              until: () => Effect.map(Deferred.isDone(reached), (done) => done)
            })
            yield* collectGarbage
            const alive = given.filter((ref) => ref.deref() !== undefined).length
            yield* Fiber.interrupt(fiber)
            return { given: given.length, alive }
          })
          const near = yield* held(2_000)
          const far = yield* held(200_000)
          assert.isAbove(far.given, 19_000)
          assert.isAtMost(far.alive, near.alive + 2_000)
        }).pipe(Effect.scoped)
      ),
    60_000
  )
})
