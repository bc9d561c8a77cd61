import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Exit, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { drive, type Follower } from "../../src/journal/Follower.ts"
import { Journal, origin, type Position } from "../../src/journal/Journal.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { chunk, type JournalShape, numberOf, openJournal, openMs, seen, settled, tempFolder } from "./fixtures.ts"
import { passUntil } from "../support/virtualTime.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}
const refused = (message: string) => Effect.fail(new Refused({ message }))

/** What one try to store a batch meets; stored and cursor move together, or neither does. */
type Luck = "good" | "refused" | "lostAnswer"

/** A database in memory that does as it is told, try by try, and is good to the end of the list and beyond. */
class Scripted implements Follower<Refused> {
  readonly name = "scripted"
  readonly batchSize: number
  readonly linger = "50 millis"
  readonly stored: Array<number | undefined> = []
  readonly batches: Array<number> = []
  readonly asked: Array<number> = []
  at: Position = origin
  luck: Array<Luck> = []
  /** While set, everything fails with these words. */
  down: string | undefined
  tries = 0

  constructor(batchSize: number) {
    this.batchSize = batchSize
  }

  get cursor(): Effect.Effect<Position, Refused> {
    return Effect.suspend(() => {
      if (this.down !== undefined) return refused(this.down)
      this.asked.push(this.at.seq)
      return Effect.succeed(this.at)
    })
  }

  write: Follower<Refused>["write"] = (batch, from, to) =>
    Effect.suspend(() => {
      this.tries += 1
      if (this.down !== undefined) return refused(this.down)
      const luck = this.luck.shift() ?? "good"
      if (luck === "refused") return refused("the server is starting up")
      if (from.seq !== this.at.seq) return refused(`the cursor is at ${this.at.seq}, not at ${from.seq}`)
      assert.deepStrictEqual(
        [batch[0]?.seq, batch.at(-1)?.seq, batch.length],
        [from.seq + 1, to.seq, to.seq - from.seq]
      )
      this.stored.push(...batch.map(numberOf))
      this.batches.push(batch.length)
      this.at = to
      return luck === "lostAnswer" ? refused("the connection broke before the answer") : Effect.void
    })
}

const withJournal = <A, E, R>(use: (journal: JournalShape) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(openMs)
    const disk = new MemoryDisk(yield* tempFolder)
    const journal = yield* Effect.provide(openJournal(disk.root, { segment_bytes: 3_000 }), disk.layer)
    return yield* Effect.provideService(use(journal), Journal, journal)
  })

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe("a follower of the journal", () => {
  it.effect("is given every record once and in order, in batches that end with the chunk that fills them", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        for (let n = 0; n < 10; n++) yield* journal.append(chunk(n * 4 + 1, 4))
        const follower = new Scripted(10)
        const { run } = yield* drive(follower)
        const driver = yield* Effect.forkChild(run)
        yield* settled
        assert.deepStrictEqual(follower.batches, [12, 12, 12])
        yield* TestClock.adjust("49 millis")
        assert.strictEqual(follower.batches.length, 3)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(follower.batches, [12, 12, 12, 4])
        yield* journal.append(chunk(41, 1))
        yield* journal.close
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(driver)
        assert.deepStrictEqual(follower.stored, upTo(41))
        assert.deepStrictEqual(follower.asked, [0])
      })
    )
  )

  it.effect("lets a batch that is not full wait for what comes meanwhile", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        const { run } = yield* drive(follower)
        yield* Effect.forkChild(run)
        yield* settled
        yield* journal.append(chunk(1, 1))
        yield* TestClock.adjust("40 millis")
        yield* journal.append(chunk(2, 3))
        yield* TestClock.adjust("10 millis")
        assert.deepStrictEqual(follower.batches, [4])
      })
    )
  )

  it.effect("begins where it left off", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        yield* journal.append(chunk(1, 5))
        const follower = new Scripted(2)
        follower.at = { ...(yield* journal.head), seq: 3 }
        yield* Effect.forkChild((yield* drive(follower)).run)
        yield* settled
        assert.deepStrictEqual(follower.stored, [4, 5])
      })
    )
  )

  it.effect.prop(
    "has every record exactly once, whatever its database does",
    [
      Schema.Array(Schema.Literals(["good", "refused", "lostAnswer"])),
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })))
    ],
    ([luck, counts]) =>
      withJournal((journal) =>
        Effect.gen(function* () {
          const follower = new Scripted(8)
          follower.luck = [...luck]
          const { run, status } = yield* drive(follower)
          const driver = yield* Effect.forkChild(run)
          let sent = 0
          for (const count of counts) {
            yield* journal.append(chunk(sent + 1, count))
            sent += count
            yield* TestClock.adjust("300 millis")
          }
          yield* journal.close
          yield* TestClock.adjust("10 minutes")
          yield* Fiber.join(driver)
          assert.deepStrictEqual(follower.stored, upTo(sent))
          const failures = luck.slice(0, follower.tries).filter((each) => each !== "good").length
          assert.strictEqual(follower.asked.length, 1 + failures)
          assert.deepInclude(yield* status, { state: "ok", seq: sent, lag_records: 0, lag_seconds: 0 })
        })
      ),
    { arbitrary: { runs: 40, size: 20 } }
  )

  it.effect("is tried again for as long as it takes, ever more slowly, but every 36 seconds at the least", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        yield* journal.append(chunk(1, 3))
        const follower = new Scripted(100)
        follower.luck = Array.from({ length: 100_000 }, () => "refused")
        yield* Effect.forkChild((yield* drive(follower)).run)
        // The sync that it waits for takes real time.
        yield* passUntil(() => follower.tries > 0)
        yield* TestClock.adjust("2 seconds")
        const early = follower.tries
        assert.isTrue(early >= 3 && early <= 5, `${early} tries in 2 s`)
        yield* TestClock.adjust("5 minutes")
        const settledTries = follower.tries
        for (let n = 1; n <= 50; n++) {
          yield* TestClock.adjust("36100 millis")
          assert.isAtLeast(follower.tries, settledTries + n)
        }
        assert.isAtMost(follower.tries, settledTries + 80)
        follower.luck = []
        yield* TestClock.adjust("37 seconds")
        assert.deepStrictEqual(follower.stored, [1, 2, 3])
      })
    )
  )

  it.effect("begins with short waits again after a success", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        follower.luck = [...Array.from({ length: 9 }, (): Luck => "refused"), "good", "refused", "good"]
        yield* Effect.forkChild((yield* drive(follower)).run)
        yield* journal.append(chunk(1, 1))
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(follower.stored, [1])
        yield* journal.append(chunk(2, 1))
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(follower.stored, [1, 2])
      })
    )
  )

  it.effect("goes on where it was when its actor is started again after a defect", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        yield* journal.append(chunk(1, 3))
        const follower = new Scripted(1)
        let defects = 0
        const write: typeof follower.write = (batch, from, to) =>
          defects++ === 0
            ? Effect.andThen(follower.write(batch, from, to), Effect.die("a bug after the commit"))
            : follower.write(batch, from, to)
        const { run } = yield* drive({ ...follower, cursor: follower.cursor, write })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(run)))
        yield* Effect.forkChild(run)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(follower.stored, [1, 2, 3])
      })
    )
  )

  it.effect("stores what there is, and ends, when the journal is closed", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        const driver = yield* Effect.forkChild((yield* drive(follower)).run)
        yield* settled
        assert.isUndefined(driver.pollUnsafe())
        yield* journal.append(chunk(1, 2))
        yield* journal.close
        yield* TestClock.adjust("50 millis")
        yield* Fiber.join(driver)
        assert.deepStrictEqual(follower.stored, [1, 2])
      })
    )
  )

  it.effect("whose cursor is beyond the journal's head writes nothing and says why", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        yield* journal.append(chunk(1, 2))
        const follower = new Scripted(100)
        follower.at = { seq: 900, file: "elsewhere", byteOffset: 1 }
        const { run, status } = yield* drive(follower)
        yield* Effect.forkChild(run)
        yield* TestClock.adjust("1 minute")
        const { reason, state } = yield* status
        assert.strictEqual(state, "degraded")
        assert.include(reason, "has stored up to 900, but this journal ends at 2")
        assert.strictEqual(follower.tries, 0)
      })
    )
  )
})

describe("the status of a follower", () => {
  it.effect("tells how many records it lags, and how old the oldest of them is", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        const { run, status } = yield* drive(follower)
        const { sinceMs } = yield* status
        assert.deepStrictEqual(yield* status, {
          name: "scripted",
          state: "starting",
          sinceMs,
          seq: 0,
          lag_records: 0,
          lag_bytes: 0,
          lag_seconds: 0,
          lastGoodAtMs: undefined
        })
        yield* Effect.forkChild(run)
        yield* journal.append([seen(0)])
        yield* TestClock.adjust("1 second")
        const good = yield* status
        assert.deepInclude(good, { state: "ok", seq: 1, lag_records: 0, lag_seconds: 0 })
        assert.isDefined(good.lastGoodAtMs)

        // A quiet hour is no lag, and the first record after it is as old as itself.
        yield* TestClock.adjust("1 hour")
        follower.down = "the server is gone"
        yield* journal.append([seen(3_601_000)])
        yield* journal.append([seen(3_602_000)])
        yield* TestClock.adjust("90 seconds")
        const bad = yield* status
        assert.deepInclude(bad, {
          state: "degraded",
          reason: "the server is gone",
          seq: 1,
          lag_records: 2,
          lag_seconds: 90
        })
        assert.strictEqual(bad.lastGoodAtMs, good.lastGoodAtMs)
        assert.strictEqual(bad.sinceMs, openMs + 3_601_050)

        follower.down = undefined
        yield* TestClock.adjust("37 seconds")
        const again = yield* status
        assert.deepInclude(again, { state: "ok", seq: 3, lag_records: 0, lag_seconds: 0 })
        assert.notProperty(again, "reason")
      })
    )
  )

  it.effect("lags since the start while its database was never reached", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        follower.down = "the server is gone"
        const { run, status } = yield* drive(follower)
        yield* Effect.forkChild(run)
        yield* journal.append([seen(0)])
        yield* TestClock.adjust("301 seconds")
        const { lag_bytes, lag_records, lag_seconds, state } = yield* status
        assert.deepStrictEqual([state, lag_records, lag_seconds], ["degraded", 1, 301])
        assert.strictEqual(lag_bytes, (yield* journal.status).appended_bytes)
        assert.isAbove(lag_bytes, 0)
        follower.down = undefined
        yield* TestClock.adjust("37 seconds")
        assert.deepInclude(yield* status, { state: "ok", lag_records: 0, lag_bytes: 0, lag_seconds: 0 })
      })
    )
  )

  it.effect("is good again once its database is back, though there is nothing new to store", () =>
    withJournal(() =>
      Effect.gen(function* () {
        const follower = new Scripted(100)
        follower.down = "the server is gone"
        const { run, status } = yield* drive(follower)
        yield* Effect.forkChild(run)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* status).state, "degraded")
        follower.down = undefined
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* status).state, "ok")
      })
    )
  )

  it.effect("is never in the way: a follower that hangs is interrupted at once", () =>
    withJournal((journal) =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const follower = new Scripted(1)
        const write = () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
        const { run, status } = yield* drive({ ...follower, cursor: follower.cursor, write })
        const driver = yield* Effect.forkChild(run)
        yield* journal.append(chunk(1, 1))
        yield* Deferred.await(begun)
        assert.strictEqual((yield* status).lag_records, 1)
        yield* Fiber.interrupt(driver)
      })
    )
  )
})
