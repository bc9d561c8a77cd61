import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Journal } from "../../src/journal/Journal.ts"
import { recover } from "../../src/journal/Recovery.ts"
import { type Call, type Fault, MemoryDisk, type Tail } from "../support/memoryDisk.ts"
import { checkArchive, chunk, node, numberOf, openJournal, openMs, tempFolder } from "./fixtures.ts"

/** One second before the hour ends, so that a life of a few seconds seals a file by hour and some by size. */
const bornMs = openMs + 3_599_000
const options = { segment_bytes: 1_200 }

/** What a life has been told: appended, and appended so long ago that a power cut must leave it. */
interface Told {
  sent: number
  acknowledged: number
  synced: number
}

const live = Effect.fnUntraced(function* (journal: Journal["Service"], told: Told) {
  for (const [index, count] of [3, 1, 6, 2, 1, 4, 3, 2].entries()) {
    const first = told.sent + 1
    told.sent += count
    yield* journal.append(chunk(first, count))
    told.acknowledged = told.sent
    if (index % 2 === 1) {
      yield* TestClock.adjust("600 millis")
      told.synced = told.acknowledged
    }
  }
  yield* journal.close
  told.synced = told.sent
})

/** Runs a journal on a disk until it has lived or is killed. */
const lived = (disk: MemoryDisk, told: Told, use: typeof live = live) =>
  Effect.scoped(Effect.flatMap(openJournal(disk.root, options), (journal) => use(journal, told))).pipe(
    Effect.raceFirst(Deferred.await(disk.killed)),
    Effect.provide(disk.layer)
  )

const killAt =
  (index: number, done: number) =>
  (call: Call): Fault | undefined =>
    call.index === index ? { _tag: "Killed", done } : undefined

/** Recovers twice, writes on, and checks that the archive is whole and holds at least the first `least` things seen. */
const checkAfterwards = Effect.fnUntraced(function* (disk: MemoryDisk, least: number, told: Told) {
  const found = yield* Effect.provide(recover(disk.root, node, bornMs), disk.layer)
  const again = yield* Effect.provide(recover(disk.root, node, bornMs), disk.layer)
  assert.deepStrictEqual([again.head, again.lastReceivedAt, again.quarantined], [found.head, found.lastReceivedAt, []])
  const kept = found.head.seq
  assert.isTrue(kept >= least && kept <= told.sent, `kept ${kept}, told ${JSON.stringify(told)}`)
  const next: Told = { sent: 1_000, acknowledged: 0, synced: 0 }
  yield* lived(disk, next)
  const numbers = checkArchive(disk.files()).map(numberOf)
  assert.deepStrictEqual(numbers, [
    ...Array.from({ length: kept }, (_, index) => index + 1),
    ...Array.from({ length: next.sent - 1_000 }, (_, index) => 1_001 + index)
  ])
})

const newTold = (): Told => ({ sent: 0, acknowledged: 0, synced: 0 })
const tails: ReadonlyArray<Tail> = [
  () => Buffer.alloc(0),
  (unsynced) => unsynced,
  (unsynced) => unsynced.subarray(0, unsynced.length / 2),
  (unsynced) => Buffer.alloc(unsynced.length),
  (unsynced) => Buffer.concat([unsynced.subarray(0, unsynced.length / 3), Buffer.alloc(4_096)])
]

/** The calls of an undisturbed life, in order: every one of them is the last one in some test below. */
const callsOfALife = Effect.gen(function* () {
  yield* TestClock.setTime(bornMs)
  const disk = new MemoryDisk(yield* tempFolder)
  const calls: Array<Call> = []
  disk.fault = (call) => void calls.push(call)
  yield* lived(disk, newTold())
  return calls
})

const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 139 }))
const Done = Schema.Literals([0, 0.5])

describe("a journal that is killed", () => {
  it.effect(
    "before or in the middle of any call to the disk loses nothing that was acknowledged",
    () =>
      Effect.gen(function* () {
        const calls = yield* callsOfALife
        assert.isTrue(calls.length > 100 && calls.length < 140, `${calls.length} calls`)
        for (const { index, operation } of calls) {
          for (const done of operation === "write" || operation === "append to" ? [0, 0.5] : [0]) {
            yield* Effect.gen(function* () {
              yield* TestClock.setTime(bornMs)
              const disk = new MemoryDisk(yield* tempFolder)
              disk.fault = killAt(index, done)
              const told = newTold()
              yield* lived(disk, told)
              yield* checkAfterwards(disk.afterKill(), told.acknowledged, told)
            }).pipe(Effect.scoped)
          }
        }
      }),
    60_000
  )

  it.effect.prop(
    "while it recovers from having been killed loses nothing either",
    [Place, Done, Place, Done],
    ([firstIndex, firstDone, secondIndex, secondDone]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(bornMs)
        const disk = new MemoryDisk(yield* tempFolder)
        disk.fault = killAt(firstIndex, firstDone)
        const told = newTold()
        yield* lived(disk, told)
        const second = disk.afterKill()
        second.fault = killAt(secondIndex % 50, secondDone)
        yield* lived(second, told, () => Effect.void)
        yield* checkAfterwards(second.afterKill(), told.acknowledged, told)
      }),
    { arbitrary: { runs: 100 }, timeout: 60_000 }
  )
})

describe("a journal whose machine loses its power", () => {
  it.effect.prop(
    "in any call to the disk keeps what was acknowledged longer ago than the time between two syncs",
    [Place, Done, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: tails.length - 1 }))],
    ([index, done, which]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(bornMs)
        const disk = new MemoryDisk(yield* tempFolder)
        disk.fault = killAt(index, done)
        const told = newTold()
        yield* lived(disk, told)
        yield* checkAfterwards(disk.afterPowerCut(tails[which] ?? ((unsynced) => unsynced)), told.synced, told)
      }),
    { arbitrary: { runs: 200 }, timeout: 60_000 }
  )
})
