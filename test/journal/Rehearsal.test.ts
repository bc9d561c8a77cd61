import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { drive } from "../../src/journal/Follower.ts"
import { Journal, origin } from "../../src/journal/Journal.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { checkArchive, numberOf, openJournal, recordsAfter, seen, settled, tempFolder } from "./fixtures.ts"

const wallMs = Date.UTC(2026, 10, 26)
const at = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN
const clockOf = (date: string, hour: string, speed: number) => rehearsed({ wallMs, marketMs: at(date, hour), speed })

const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(tempFolder, (folder) => {
    const disk = new MemoryDisk(folder)
    return Effect.provide(use(disk), disk.layer)
  })

const segments = (disk: MemoryDisk) => [...disk.files().keys()].filter((path) => path.includes("/seoul-1-")).sort()

/** A life of the journal that appends one record each machine second, so many times, and closes. */
const life = Effect.fnUntraced(function* (disk: MemoryDisk, seconds: number) {
  const first = yield* Effect.gen(function* () {
    const journal = yield* openJournal(disk.root)
    const { seq } = yield* journal.head
    for (let second = 1; second <= seconds; second++) {
      yield* journal.append([seen(seq + second)])
      yield* TestClock.adjust("1 second")
    }
    yield* journal.close
    return seq + 1
  }).pipe(Effect.scoped)
  return first
})

describe("the journal of a rehearsed day", () => {
  for (const [speed, seconds, hours] of [
    [60, 180, ["09", "10", "11"]],
    [1_000, 12, ["09", "10", "11", "12"]]
  ] as const) {
    it.effect(`has a folder for each market hour at ${speed} times the speed`, () =>
      onMemory((disk) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(wallMs)
          yield* life(disk, seconds)
          const folders = new Set(segments(disk).map((path) => path.slice(0, 13)))
          assert.deepStrictEqual(
            [...folders],
            hours.map((hour) => `2026/11/19/${hour}`)
          )
          assert.strictEqual(checkArchive(disk.files()).length, seconds)
        }).pipe(Effect.provideService(MarketClock, clockOf("20261119", "090000", speed)))
      )
    )
  }

  it.effect("goes on with the next seq, wherever on the calendar the lives before it were", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const days = ["20261120", "20261123", "20261124", "20261125", "20261117", "20270302", "20261118", "20261117"]
        const firsts: Array<number> = []
        for (const [index, date] of days.entries()) {
          yield* TestClock.setTime(wallMs + index * 60_000)
          const clock = rehearsed({ wallMs: wallMs + index * 60_000, marketMs: at(date, "100000"), speed: 1 })
          firsts.push(yield* Effect.provideService(life(disk, 3), MarketClock, clock))
        }
        assert.deepStrictEqual(
          firsts,
          days.map((_, index) => index * 3 + 1)
        )
        assert.strictEqual(checkArchive(disk.files()).length, days.length * 3)
        const journal = yield* openJournal(disk.root)
        assert.deepStrictEqual(
          (yield* recordsAfter(journal, origin)).map(numberOf),
          Array.from({ length: days.length * 3 }, (_, index) => index + 1)
        )
      })
    )
  )

  it.effect("after a kill on a day in the past is cut and sealed there, and its head is found", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        for (const date of ["20261120", "20261123", "20261124", "20261125"]) {
          yield* TestClock.setTime(at(date, "100000"))
          yield* life(disk, 1)
        }
        yield* TestClock.setTime(wallMs)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(disk.root)
            yield* journal.append([seen(5)])
          })
        ).pipe(Effect.provideService(MarketClock, clockOf("20261105", "100000", 60)))
        const after = disk.afterKill()
        yield* Effect.gen(function* () {
          const journal = yield* openJournal(after.root)
          assert.strictEqual((yield* journal.head).seq, 5)
          assert.isTrue(journal.recovered.unclean)
          assert.strictEqual(Date.parse(journal.recovered.lastReceivedAt ?? ""), seen(5).receivedAtMs)
          yield* journal.close
        }).pipe(Effect.scoped, Effect.provide(after.layer))
        assert.strictEqual(checkArchive(after.files()).length, 5)
      })
    )
  )

  it.effect("is followed with a lag in market time", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(wallMs)
        const clock = yield* MarketClock
        const journal = yield* openJournal(disk.root)
        const { run, status } = yield* Effect.provideService(
          drive({
            name: "slow",
            batchSize: 1,
            linger: 0,
            cursor: Effect.succeed(origin),
            write: () => Effect.never
          }),
          Journal,
          journal
        )
        const running = yield* Effect.forkChild(run)
        yield* journal.append([{ ...seen(1), receivedAtMs: clock.at(wallMs) }])
        yield* settled
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* status).lag_seconds, 120)
        yield* Fiber.interrupt(running)
      }).pipe(Effect.provideService(MarketClock, clockOf("20261119", "090000", 60)))
    )
  )
})
