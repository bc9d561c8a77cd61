import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { drive, type Follower } from "../../src/journal/Follower.ts"
import { JournalReadError } from "../../src/journal/JournalError.ts"
import { Journal, origin, type Position } from "../../src/journal/Journal.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { chunk, openJournal, openMs, settled, tempFolder } from "./fixtures.ts"

class Down extends Data.TaggedError("Down")<{ readonly message: string }> {}

/** Records `1…count` in chunks of 10, and how many chunks have been read. */
const filled = (count: number) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(openMs)
    const disk = new MemoryDisk(yield* tempFolder)
    const journal = yield* Effect.provide(openJournal(disk.root, { segment_bytes: 20_000 }), disk.layer)
    for (let first = 1; first <= count; first += 10) yield* journal.append(chunk(first, 10))
    const read = { chunks: 0 }
    const counted = Journal.of({
      ...journal,
      next: (from) => Effect.tap(journal.next(from), () => Effect.sync(() => void (read.chunks += 1)))
    })
    return { journal: counted, read }
  })

/** A follower whose writes wait at a gate, and fail while it is down. */
const gated = () => {
  const written: Array<readonly [from: number, to: number]> = []
  const state = { at: origin as Position, down: false, gate: Deferred.makeUnsafe<void>() }
  const follower: Follower<Down> = {
    name: "gated",
    batchSize: 20,
    catchUpSize: 50,
    linger: "10 millis",
    cursor: Effect.sync(() => state.at),
    write: (batch, from, to) =>
      Effect.gen(function* () {
        yield* Deferred.await(state.gate)
        if (state.down) return yield* new Down({ message: "down" })
        assert.deepStrictEqual([batch[0]?.seq, batch.at(-1)?.seq], [from.seq + 1, to.seq])
        written.push([from.seq, to.seq])
        state.at = to
      })
  }
  return { follower, state, written }
}

describe("a follower that lags", () => {
  it.effect("writes bigger batches until it is near the head, and reads the next one while one is written", () =>
    Effect.gen(function* () {
      const { journal, read } = yield* filled(210)
      const { follower, state, written } = gated()
      const { run, status } = yield* Effect.provideService(drive(follower), Journal, journal)
      const driver = yield* Effect.forkChild(run)
      yield* settled
      // One batch ahead and no further, however long the write takes.
      assert.strictEqual(read.chunks, 10)
      assert.deepInclude(yield* status, { seq: 0, lag_records: 210 })
      yield* Deferred.succeed(state.gate, undefined)
      yield* journal.close
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(driver)
      assert.deepStrictEqual(written, [
        [0, 50],
        [50, 100],
        [100, 150],
        [150, 200],
        [200, 210]
      ])
    })
  )

  it.effect("stores what comes before a line that cannot be read", () =>
    Effect.gen(function* () {
      const { journal } = yield* filled(150)
      const { follower, state, written } = gated()
      const damaged = Journal.of({
        ...journal,
        next: (from, end) =>
          from.seq < 60 ? journal.next(from, end) : Effect.fail(new JournalReadError({ file: "x", detail: "damaged" }))
      })
      const { run, status } = yield* Effect.provideService(drive(follower), Journal, damaged)
      yield* Effect.forkChild(run)
      yield* Deferred.succeed(state.gate, undefined)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(written, [[0, 50]])
      assert.deepInclude(yield* status, { state: "degraded", seq: 50, reason: "journal file x: damaged" })
    })
  )

  it.effect("forgets what it has read ahead when a write fails, and asks where it is", () =>
    Effect.gen(function* () {
      const { journal } = yield* filled(150)
      const { follower, state, written } = gated()
      const { run } = yield* Effect.provideService(drive(follower), Journal, journal)
      const driver = yield* Effect.forkChild(run)
      yield* settled
      state.down = true
      yield* Deferred.succeed(state.gate, undefined)
      yield* settled
      // Another run of it has come further meanwhile.
      state.at = { seq: 70, file: "", byteOffset: 0 }
      state.down = false
      yield* journal.close
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(driver)
      assert.deepStrictEqual(written.at(0), [70, 120])
      assert.deepStrictEqual(written.at(-1), [120, 150])
    })
  )
})
