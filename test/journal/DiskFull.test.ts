import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { DiskError } from "../../src/journal/Disk.ts"
import type { Fault } from "../support/memoryDisk.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { checkArchive, chunk, numberOf, openJournal, openMs, seen, settled, tempFolder } from "./fixtures.ts"

const full: Fault = { _tag: "Refused", code: "ENOSPC", done: 0.5 }
const onMemory = <A, E, R>(use: (disk: MemoryDisk) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(tempFolder, (folder) => {
    const disk = new MemoryDisk(folder)
    return Effect.provide(use(disk), disk.layer)
  })
const iso = (offset_ms: number) => new Date(openMs + offset_ms).toISOString()

describe("a disk that is full for a while", () => {
  it.effect("makes appends wait, readiness false, and a gap that stands before what waited", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.append(chunk(1, 2))
        disk.fault = ({ operation }) => (operation === "write" ? full : undefined)
        yield* TestClock.adjust("5 seconds")
        const waiting = yield* Effect.forEach([3, 4], (n) => Effect.forkChild(journal.append([seen(n)])))
        yield* settled
        yield* TestClock.adjust("60 seconds")
        const status = yield* journal.status
        assert.isFalse(status.writable)
        assert.include(status.reason, "ENOSPC")
        assert.strictEqual(status.head.seq, 2)
        assert.isTrue(waiting.every((fiber) => fiber.pollUnsafe() === undefined))

        disk.fault = () => undefined
        yield* TestClock.adjust("1 second")
        const ranges = yield* Effect.forEach(waiting, Fiber.join)
        assert.deepStrictEqual(ranges, [
          { first: 4, last: 4 },
          { first: 5, last: 5 }
        ])
        assert.isTrue((yield* journal.status).writable)
        assert.notProperty(yield* journal.status, "reason")
        yield* journal.append([seen(5)])
        yield* journal.close
        const records = checkArchive(disk.files())
        assert.deepStrictEqual(records.map(numberOf), [1, 2, undefined, 3, 4, 5])
        const gap = records[2]
        assert.deepStrictEqual([gap?.kind, gap?.source, gap?.receivedAt], ["gap", "observer", iso(66_000)])
        assert.deepStrictEqual(gap?.payload, { from: iso(5_000), to: iso(66_000), cause: "diskFull" })
      })
    )
  )

  it.effect("tells of each time once, and only of times that were", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        for (let n = 1; n <= 3; n++) {
          disk.fault = ({ operation }) => (operation === "write" && n === 2 ? full : undefined)
          const append = yield* Effect.forkChild(journal.append([seen(n)]))
          yield* TestClock.adjust("10 seconds")
          disk.fault = () => undefined
          yield* TestClock.adjust("10 seconds")
          yield* Fiber.join(append)
        }
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), [1, undefined, 2, 3])
      })
    )
  )

  it.effect("is told with the next record when only a seal met it, for as long as it lasted", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        const bornMs = openMs + 3_599_000
        yield* TestClock.setTime(bornMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        disk.fault = ({ operation }) => (operation === "append to" ? full : undefined)
        yield* TestClock.adjust("11 seconds")
        assert.isFalse((yield* journal.status).writable)
        disk.fault = () => undefined
        yield* TestClock.adjust("1 second")
        assert.isTrue((yield* journal.status).writable)
        yield* TestClock.adjust("60 seconds")
        yield* journal.append([seen(2)])
        yield* journal.close
        const records = checkArchive(disk.files())
        assert.deepStrictEqual(records.map(numberOf), [1, undefined, 2])
        const gap = records[1]?.payload as { readonly from: string; readonly to: string }
        assert.isTrue(Date.parse(gap.from) <= bornMs + 2_000, gap.from)
        assert.strictEqual(Date.parse(gap.to), bornMs + 12_000)
      })
    )
  )

  it.effect("bounds what waits: appends beyond it wait for their turn, and all are stored in order", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        disk.fault = ({ operation }) => (operation === "write" ? full : undefined)
        const waiting = yield* Effect.forEach(chunk(1, 1_000), (draft) => Effect.forkChild(journal.append([draft])))
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual((yield* journal.status).waitingAppends, 256)
        disk.fault = () => undefined
        yield* TestClock.adjust("1 second")
        yield* Effect.forEach(waiting, Fiber.join)
        yield* journal.close
        const numbers = checkArchive(disk.files()).map(numberOf)
        assert.deepStrictEqual(numbers, [undefined, ...Array.from({ length: 1_000 }, (_, index) => index + 1)])
      })
    )
  )

  it.effect("does not count its own watch over the hour as appends that wait", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs + 3_599_000)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        disk.fault = ({ operation }) => (operation === "append to" ? full : undefined)
        yield* TestClock.adjust("1 minute")
        assert.isFalse((yield* journal.status).writable)
        assert.isAtMost((yield* journal.status).waitingAppends, 1)
      })
    )
  )

  it.effect("leaves no file behind that could not be begun before its hour was over", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs + 3_598_000)
        const journal = yield* openJournal(disk.root)
        disk.fault = ({ operation, path }) =>
          operation === "sync folder" && path.endsWith("/09") ? { ...full, done: 0 } : undefined
        const append = yield* Effect.forkChild(journal.append([seen(1)]))
        // In steps: each try needs turns of its own before the next second comes.
        for (let step = 0; step < 20; step += 1) yield* TestClock.adjust("200 millis")
        yield* Fiber.join(append)
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), [undefined, 1])
      })
    )
  )

  it.effect("and then refuses to close a file that ends in half a line does not hold up the next one", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs + 3_598_000)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        let refuseClose = 1
        disk.fault = ({ operation, path }) => {
          if (operation === "write" && path.includes("/09/")) return full
          return operation === "close" && refuseClose-- > 0 ? { ...full, done: 1 } : undefined
        }
        const append = yield* Effect.forkChild(journal.append([seen(2)]))
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(append)
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), [1, undefined, 2])
      })
    )
  )

  it.effect(
    "is held back in time by who watches the room: not writable at once, and the same gap when it is let go",
    () =>
      onMemory((disk) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(openMs)
          const journal = yield* openJournal(disk.root)
          yield* journal.append([seen(1)])
          yield* TestClock.adjust("5 seconds")
          const why = new DiskError({ operation: "append to", path: disk.root, code: "full", advice: "97 MB are left" })
          yield* journal.hold(why)
          const { reason, writable } = yield* journal.status
          assert.isFalse(writable)
          assert.include(reason, "97 MB are left")
          const written = disk.files().get("2026/11/24/09/seoul-1-000000000001.jsonl.open")?.length
          const waiting = yield* Effect.forkChild(journal.append([seen(2)]))
          yield* TestClock.adjust("30 seconds")
          assert.isUndefined(waiting.pollUnsafe())
          assert.strictEqual(disk.files().get("2026/11/24/09/seoul-1-000000000001.jsonl.open")?.length, written)

          yield* journal.hold(undefined)
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(waiting)
          assert.isTrue((yield* journal.status).writable)
          yield* journal.close
          const records = checkArchive(disk.files())
          assert.deepStrictEqual(records.map(numberOf), [1, undefined, 2])
          assert.deepStrictEqual(records[1]?.payload, { from: iso(5_000), to: iso(36_000), cause: "diskFull" })
        })
      )
  )

  it.effect("is told with the next record when nothing came while it was held back", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.hold(new DiskError({ operation: "append to", path: disk.root, code: "full" }))
        yield* TestClock.adjust("10 seconds")
        yield* journal.hold(undefined)
        assert.isTrue((yield* journal.status).writable)
        yield* TestClock.adjust("10 seconds")
        yield* journal.append([seen(1)])
        yield* journal.close
        const records = checkArchive(disk.files())
        assert.deepStrictEqual(records[0]?.payload, { from: iso(0), to: iso(10_000), cause: "diskFull" })
        assert.deepStrictEqual(records.map(numberOf), [undefined, 1])
      })
    )
  )

  it.effect("seals its files all the same while appends are held back", () =>
    onMemory((disk) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(openMs)
        const journal = yield* openJournal(disk.root)
        yield* journal.append([seen(1)])
        yield* journal.hold(new DiskError({ operation: "append to", path: disk.root, code: "full" }))
        yield* journal.close
        assert.deepStrictEqual(checkArchive(disk.files()).map(numberOf), [1])
      })
    )
  )

  const Spell = Schema.Struct({
    operation: Schema.Literals([
      "write",
      "append to",
      "rename",
      "fdatasync",
      "sync folder",
      "open",
      "close",
      "truncate"
    ]),
    skip: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 })),
    refusals: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
    done: Schema.Literals([0, 0.5, 1])
  })

  it.effect.prop(
    "loses and doubles nothing, whichever calls it refuses, before, in the middle of or after their work",
    [Schema.Array(Spell)],
    ([spells]) =>
      onMemory((disk) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(openMs + 3_590_000)
          const journal = yield* openJournal(disk.root, { segment_bytes: 700 })
          const left = spells.map((spell) => ({ ...spell }))
          disk.fault = ({ operation }) => {
            const spell = left.find((each) => each.operation === operation && each.refusals > 0)
            if (spell === undefined || spell.skip-- > 0) return undefined
            spell.refusals -= 1
            return { _tag: "Refused", code: "ENOSPC", done: spell.done }
          }
          const appends = yield* Effect.forkChild(
            Effect.forEach([1, 3, 4, 8, 9, 12, 13, 14], (first, index) =>
              journal.append(chunk(first, [2, 1, 4, 1, 3, 1, 1, 7][index] ?? 0))
            )
          )
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(appends)
          const closing = yield* Effect.forkChild(journal.close)
          yield* TestClock.adjust("1 minute")
          yield* Fiber.join(closing)
          const records = checkArchive(disk.files())
          assert.deepStrictEqual(
            records.map(numberOf).filter((n) => n !== undefined),
            Array.from({ length: 20 }, (_, index) => index + 1)
          )
          for (const { kind } of records) assert.include(["trade", "gap"], kind)
        })
      ),
    { arbitrary: { runs: 60, size: 8 } }
  )
})
