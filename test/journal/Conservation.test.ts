import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type Balance, Conservation, unsettled } from "../../src/journal/Conservation.ts"
import { origin } from "../../src/journal/Journal.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { chunk, openJournal, recordsAfter, settled, tempFolder } from "./fixtures.ts"

const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))
const Step = Schema.Struct({
  source: Schema.Literals(["kis-ws", "kis-rest", "backfill"]),
  stored: Amount,
  rejected: Amount,
  deduplicated: Amount,
  lost: Schema.Literals([0, 0, 0, 1, 20])
})

/** A journal that says in its own way that it has written. */
const appending = (append: Effect.Effect<void>) => ({ append: () => Effect.as(append, { first: 1, last: 0 }) })

const nothing: Balance = { received: 0, stored: 0, rejected: 0, deduplicated: 0, inFlight: 0, remainder: 0 }
const balanceOf = Effect.fnUntraced(function* (source: "kis-ws" | "kis-rest" | "backfill") {
  return (yield* (yield* Conservation).balances).get(source) ?? nothing
})

describe("conservation", () => {
  it.effect.prop(
    "counts by source what was received, what became of it, what is in hand, and what is nowhere",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const conservation = yield* Conservation
        const lost = { "kis-ws": 0, "kis-rest": 0, backfill: 0 }
        for (const { deduplicated, source, stored, ...step } of steps) {
          const received = stored + step.rejected + deduplicated + step.lost
          yield* conservation.receive(
            source,
            received,
            Effect.fnUntraced(function* ({ passOn, settle, store }) {
              assert.strictEqual((yield* balanceOf(source)).inFlight, received)
              settle({ deduplicated })
              yield* store(appending(Effect.void), [], { rejected: step.rejected })
              passOn(stored)
              // Whoever takes them has them at once, and settles in the step in which they are let go of.
              conservation.settle(source, { stored })
              assert.include(yield* balanceOf(source), { inFlight: step.lost, remainder: lost[source] })
            })
          )
          lost[source] += step.lost
          assert.include(yield* balanceOf(source), { inFlight: 0, remainder: lost[source] })
        }
        for (const source of ["kis-ws", "kis-rest", "backfill"] as const) {
          const own = steps.filter((step) => step.source === source)
          const sum = (name: "stored" | "rejected" | "deduplicated") =>
            own.reduce((total, step) => total + step[name], 0)
          const [stored, rejected, deduplicated] = [sum("stored"), sum("rejected"), sum("deduplicated")]
          const received = stored + rejected + deduplicated + lost[source]
          const remainder = lost[source]
          const balance = yield* balanceOf(source)
          assert.deepStrictEqual(balance, { received, stored, rejected, deduplicated, inFlight: 0, remainder })
          assert.strictEqual(unsettled(balance), remainder)
        }
      }).pipe(Effect.provide(Conservation.layer)),
    { arbitrary: { runs: 50 } }
  )

  it.effect("asks whoever holds records how many they are, at every look", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      let held = 3
      conservation.measure((add) => add("kis-ws", held))
      conservation.measure((add) => add("kis-ws", 1))
      yield* conservation.receive("kis-ws", 4, ({ passOn }) => Effect.sync(() => passOn(4)))
      assert.include(yield* balanceOf("kis-ws"), { inFlight: 4, remainder: 0 })
      held = 0
      assert.include(yield* balanceOf("kis-ws"), { inFlight: 1, remainder: 3 }, "let go of without a word")
      conservation.settle("kis-ws", { stored: 3 })
      assert.include(yield* balanceOf("kis-ws"), { inFlight: 1, remainder: 0 })
    }).pipe(Effect.provide(Conservation.layer))
  )

  it.effect("shows records that are settled twice as fewer than none", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      yield* conservation.receive("backfill", 5, ({ settle }) =>
        Effect.sync(() => {
          settle({ stored: 5 })
          settle({ rejected: 2 })
        })
      )
      assert.include(yield* balanceOf("backfill"), { inFlight: 0, remainder: -2 })
    }).pipe(Effect.provide(Conservation.layer))
  )

  it.effect("gives balances that later counts do not change", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      const receive = conservation.receive("kis-ws", 1, ({ settle }) => Effect.sync(() => settle({ stored: 1 })))
      yield* receive
      const before = yield* conservation.balances
      yield* receive
      assert.strictEqual(before.get("kis-ws")?.received, 1)
    }).pipe(Effect.provide(Conservation.layer))
  )

  for (const [how, end] of [
    ["interrupted", Fiber.interrupt],
    ["crashed", (fiber: Fiber.Fiber<unknown>) => Effect.exit(Fiber.join(fiber))]
  ] as const) {
    it.effect(`misses what a source that is ${how} had in hand, and nothing that it had passed on`, () =>
      Effect.gen(function* () {
        const conservation = yield* Conservation
        let waiting = 0
        conservation.measure((add) => add("kis-ws", waiting))
        const work = conservation.receive("kis-ws", 10, ({ passOn, settle }) => {
          settle({ deduplicated: 1 })
          passOn(4)
          waiting += 4
          return how === "crashed" ? Effect.die(new Error("crashed")) : Effect.never
        })
        const fiber = yield* Effect.forkChild(work, { startImmediately: true })
        yield* end(fiber)
        assert.include(yield* balanceOf("kis-ws"), { received: 10, deduplicated: 1, inFlight: 4, remainder: 5 })
      }).pipe(Effect.provide(Conservation.layer))
    )
  }

  it.effect("counts an append that its sender no longer waits for when the journal has written it", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      const disk = new MemoryDisk(yield* tempFolder)
      const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
      disk.fault = () => ({ _tag: "Refused", code: "ENOSPC", done: 0 })
      const work = conservation.receive("kis-rest", 2, ({ store }) => store(journal, chunk(1, 2), { rejected: 2 }))
      const fiber = yield* Effect.forkChild(work)
      yield* settled
      yield* Fiber.interrupt(fiber)
      assert.include(yield* balanceOf("kis-rest"), { rejected: 0, inFlight: 2, remainder: 0 })
      disk.fault = () => undefined
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.include(yield* balanceOf("kis-rest"), { rejected: 2, inFlight: 0, remainder: 0 })
      assert.strictEqual((yield* recordsAfter(journal, origin)).filter(({ kind }) => kind === "trade").length, 2)
    }).pipe(Effect.provide(Conservation.layer))
  )

  it.effect("misses an append that its sender gave up before the journal could take it in", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      const disk = new MemoryDisk(yield* tempFolder)
      const journal = yield* Effect.provide(openJournal(disk.root), disk.layer)
      disk.fault = () => ({ _tag: "Refused", code: "ENOSPC", done: 0 })
      const work = conservation.receive("kis-rest", 1, ({ store }) => store(journal, chunk(1, 1), { rejected: 1 }))
      const fibers = yield* Effect.forEach(Array.from({ length: 1_000 }), () => Effect.forkChild(work))
      yield* settled
      yield* Effect.forEach(fibers, (fiber) => Fiber.interrupt(fiber))
      const { inFlight, remainder } = yield* balanceOf("kis-rest")
      assert.isTrue(inFlight > 0 && remainder > 0 && inFlight + remainder === 1_000, `${inFlight} ${remainder}`)
      disk.fault = () => undefined
      yield* TestClock.adjust("2 seconds")
      yield* settled
      assert.include(yield* balanceOf("kis-rest"), { rejected: inFlight, inFlight: 0, remainder })
    }).pipe(Effect.provide(Conservation.layer))
  )

  it.effect("misses what the journal could not make lines of", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      const append = Effect.die(new Error("not a record"))
      yield* Effect.exit(
        conservation.receive("kis-rest", 2, ({ store }) => store(appending(append), [], { stored: 2 }))
      )
      assert.include(yield* balanceOf("kis-rest"), { stored: 0, inFlight: 0, remainder: 2 })
    }).pipe(Effect.provide(Conservation.layer))
  )
})
