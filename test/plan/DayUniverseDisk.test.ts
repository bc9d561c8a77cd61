import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Latch, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { settled } from "../journal/fixtures.ts"
import { observedUniverse } from "../../src/plan/observedUniverse.ts"
import { makeUniverseStage, markersOf, preparedDisk, setMarket } from "./universeStage.ts"

const two = { _tag: "List", codes: ["005930", "000660"] } as never
const nowhere = "http://127.0.0.1:1"

/** Over a journal that takes nothing until the gate opens. */
const startHeld = Effect.fnUntraced(function* (stage: Effect.Success<ReturnType<typeof makeUniverseStage>>) {
  const gate = Latch.makeUnsafe(false)
  const universe = yield* stage.start(two, {
    append: (drafts) =>
      Effect.andThen(
        gate.await,
        Effect.sync(() => stage.appended.push(...drafts))
      )
  })
  return { gate, universe }
})

describe("the day's universe on a disk that fails", () => {
  it.effect("refuses a change while the disk is full, and takes it when there is room again", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const disk = preparedDisk()
      const stage = yield* makeUniverseStage(nowhere, disk)
      const universe = yield* stage.start(two)
      const before = yield* universe.current
      disk.fault = ({ operation }) => (operation === "write" ? { _tag: "Refused", code: "ENOSPC", done: 3 } : undefined)
      const refused = yield* Effect.flip(universe.change({ add: ["0000Y0"], remove: [] }))
      assert.match(refused.message, /ENOSPC/)
      assert.strictEqual(yield* universe.current, before)
      assert.deepStrictEqual(stage.appended, [])
      // Nobody asked for anything wrong, and is not told so.
      const { change } = observedUniverse(universe)
      assert.strictEqual((yield* Effect.flip(change({ add: ["0000Y0"], remove: [] })))._tag, "ChangeFailed")
      assert.strictEqual((yield* Effect.flip(change({ add: [], remove: ["0000Y0"] })))._tag, "ChangeRefused")
      disk.fault = () => undefined
      yield* universe.change({ add: ["0000Y0"], remove: [] })
      assert.strictEqual(markersOf(stage).length, 1)
    })
  )

  it.effect("does not hold who asks for a change while the journal cannot write; the change is made when it can", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const disk = preparedDisk()
      const stage = yield* makeUniverseStage(nowhere, disk)
      const { gate, universe } = yield* startHeld(stage)
      const ask = (add: string) =>
        Effect.forkChild(Effect.timeoutOption(universe.change({ add: [add], remove: [] }), "10 seconds"))
      const first = yield* ask("0000Y0")
      const second = yield* ask("035720")
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.join(first)))
      assert.isTrue(Option.isNone(yield* Fiber.join(second)))
      assert.deepStrictEqual((yield* universe.current).symbols, ["005930", "000660"])
      yield* gate.open
      yield* settled
      assert.deepStrictEqual((yield* universe.current).symbols, ["005930", "000660", "0000Y0", "035720"])
      assert.strictEqual(markersOf(stage).length, 2)
      yield* (yield* universe.changer).drain
      assert.match((yield* Effect.flip(universe.change({ add: ["000020"], remove: [] }))).message, /is stopping/)
    })
  )

  it.effect("is recorded, for whoever waits for it, once its marker is in the journal", () =>
    Effect.gen(function* () {
      yield* setMarket("20260722", "090000")
      const disk = preparedDisk()
      const stage = yield* makeUniverseStage(nowhere, disk)
      const { gate, universe } = yield* startHeld(stage)
      yield* Effect.forkDetach(Effect.ignore(universe.run))
      const waiting = yield* Effect.forkChild(universe.recorded)
      yield* settled
      assert.isUndefined(waiting.pollUnsafe())
      yield* gate.open
      yield* Fiber.join(waiting)
      assert.strictEqual(markersOf(stage).length, 1)
      assert.isTrue((yield* universe.status).recorded)
    })
  )

  it.effect.prop(
    "is after a power cut in any call what it was before the change, or after it; what the record names is there",
    [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })), Schema.Boolean],
    ([at, isKill]) =>
      Effect.gen(function* () {
        yield* setMarket("20260722", "090000")
        const disk = preparedDisk()
        const stage = yield* makeUniverseStage(nowhere, disk)
        const universe = yield* stage.start(two)
        yield* universe.change({ add: ["0000Y0"], remove: [] })
        const markers = stage.appended.length
        const from = disk.calls
        disk.fault = ({ index }) => (index === from + at ? { _tag: "Killed", done: 1 } : undefined)
        const done = Deferred.makeUnsafe<void>()
        // Detached: a process that was killed in the middle of a change never comes back to end it.
        yield* Effect.forkDetach(
          Effect.andThen(
            Effect.ignore(universe.change({ add: [], remove: ["005930"] })),
            Deferred.succeed(done, undefined)
          )
        )
        yield* Effect.raceFirst(Deferred.await(done), Deferred.await(disk.killed))
        const next = isKill ? disk.afterKill() : disk.afterPowerCut(() => Buffer.alloc(0))
        const after = yield* makeUniverseStage(nowhere, next)
        after.appended.push(...stage.appended)
        const { symbols } = yield* (yield* after.start(two)).current
        const old = ["005930", "000660", "0000Y0"]
        const changed = ["000660", "0000Y0"]
        assert.include([old.join(), changed.join()], symbols.join())
        if (stage.appended.length > markers) assert.deepStrictEqual(symbols, changed)
        markersOf(after)
      }),
    { arbitrary: { runs: 120 } }
  )
})
