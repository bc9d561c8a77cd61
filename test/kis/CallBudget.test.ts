import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type CallBudget, makeCallBudget } from "../../src/kis/CallBudget.ts"
import { KisThrottled } from "../../src/kis/KisError.ts"

const monotonicMs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

interface Journey {
  /** Milliseconds from the one before to this one being wanted. */
  readonly after_ms: number
  /** From sending to the moment the broker counts it, and from there to the answer. */
  readonly there_ms: number
  readonly back_ms: number
}

/** The broker's side: when it counted each call. */
const makeBroker = () => {
  const countedMs: Array<number> = []
  const call = ({ back_ms, there_ms }: Omit<Journey, "after_ms">) =>
    Effect.gen(function* () {
      yield* Effect.delay(Effect.void, there_ms)
      countedMs.push(yield* monotonicMs)
      yield* Effect.delay(Effect.void, back_ms)
    })
  return { countedMs, call }
}

/** The most calls the broker has counted in any second, wherever it begins. */
const mostInASecond = (countedMs: ReadonlyArray<number>): number => {
  const sorted = [...countedMs].sort((a, b) => a - b)
  return Math.max(0, ...sorted.map((from, at) => sorted.slice(at).filter((each) => each < from + 1_000).length))
}
const mostInAFixedSecond = (countedMs: ReadonlyArray<number>): number => {
  const bySecond = new Map<number, number>()
  for (const at of countedMs) bySecond.set(Math.floor(at / 1_000), (bySecond.get(Math.floor(at / 1_000)) ?? 0) + 1)
  return Math.max(0, ...bySecond.values())
}

const short = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))
const long = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 }))
const Delay = Schema.Union([short, long])
const Journeys = Schema.Array(Schema.Struct({ after_ms: Delay, there_ms: Delay, back_ms: Delay })).check(
  Schema.isMaxLength(120)
)
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 18 }))

/** Callers as many as may be under way at once, each calling again as soon as it has its answer. */
const callers = (budget: CallBudget, call: Effect.Effect<void>, count = 4) =>
  Effect.all(
    Array.from({ length: count }, () => Effect.forever(budget.spend(call))),
    { concurrency: "unbounded", discard: true }
  )

describe("the call budget", () => {
  it.effect.prop(
    "lets no second of the broker's hold more than the limit, whatever the network does",
    [Limit, Journeys],
    ([limit, journeys]) =>
      Effect.gen(function* () {
        const budget = yield* makeCallBudget(limit)
        const { call, countedMs } = makeBroker()
        let at_ms = 0
        const fibers = yield* Effect.forEach(journeys, (journey) => {
          at_ms += journey.after_ms
          return Effect.forkChild(Effect.delay(budget.spend(call(journey)), at_ms))
        })
        yield* TestClock.adjust("1 hour")
        for (const fiber of fibers) yield* Fiber.join(fiber)
        assert.strictEqual(countedMs.length, journeys.length)
        assert.isAtMost(mostInASecond(countedMs), limit)
        assert.isAtMost(mostInAFixedSecond(countedMs), limit)
        assert.strictEqual((yield* budget.status).calls, journeys.length)
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("takes the second before the start for spent, for a run just killed may have spent it", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(countedMs, [])
      yield* TestClock.adjust(10)
      assert.strictEqual(countedMs.length, 1)
    })
  )

  for (const [latency_ms, perMinute] of [
    [0, 1_060],
    [40, 1_020],
    [200, 880]
  ] as const) {
    it.effect(`spends nearly all of 18 a second with four callers and answers after ${latency_ms} ms`, () =>
      Effect.gen(function* () {
        const budget = yield* makeCallBudget(18)
        const { call, countedMs } = makeBroker()
        const half = latency_ms / 2
        yield* Effect.forkChild(callers(budget, call({ there_ms: half, back_ms: half })))
        yield* TestClock.adjust("1 second")
        yield* TestClock.adjust("1 minute")
        assert.isAtLeast(countedMs.length, perMinute)
        assert.isAtMost(countedMs.length, 18 * 60)
        assert.isAtMost(mostInASecond(countedMs), 18)
      })
    )
  }

  it.effect("spreads its calls evenly", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 10, back_ms: 10 }), 18))
      yield* TestClock.adjust("10 seconds")
      const apart = countedMs.slice(1).map((at, index) => at - (countedMs[index] ?? 0))
      assert.isAbove(apart.length, 100)
      assert.isAtLeast(Math.min(...apart), 52)
    })
  )

  it.effect("gives turns in the order of asking", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(3)
      const order: Array<number> = []
      const asked = Array.from({ length: 30 }, (_, at) => at)
      yield* Effect.forEach(asked, (at) => Effect.forkChild(budget.spend(Effect.sync(() => order.push(at)))))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(order, asked)
    })
  )

  it.effect("keeps a place for a call without an answer, and no longer than that", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(2)
      const { call, countedMs } = makeBroker()
      const stuck = yield* Effect.forEach([1, 2], () => Effect.forkChild(budget.spend(Effect.never)))
      yield* TestClock.adjust("5 seconds")
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(countedMs, [])
      for (const fiber of stuck) yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("11 seconds")
      assert.isAtLeast(countedMs.length, 19)
    })
  )

  it.effect("lets a waiting caller go at once when it is interrupted, and loses no place by it", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(2)
      const { call, countedMs } = makeBroker()
      for (let round = 0; round < 20; round++) {
        const waiting = yield* Effect.forEach(Array.from({ length: 6 }), () =>
          Effect.forkChild(budget.spend(Effect.never))
        )
        yield* TestClock.adjust(round * 100)
        // Without the clock being turned: whoever shuts down must not wait for the budget.
        for (const fiber of waiting) yield* Fiber.interrupt(fiber)
      }
      assert.isAtMost((yield* budget.status).callsLastSecond, 2)
      yield* TestClock.adjust("2 seconds")
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust("10 seconds")
      assert.isAtLeast(countedMs.length, 19)
      assert.isAtMost(mostInASecond(countedMs), 2)
    })
  )

  it.effect("calls more slowly after a storm of refusals, says so, and is back at the limit minutes later", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const refused = budget.spend(Effect.fail(new KisThrottled({ operation: "price", code: "EGW00201" })))
      const storm = yield* Effect.forkChild(Effect.forEach([1, 2, 3], () => Effect.flip(refused)))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(storm)
      assert.deepInclude(yield* budget.status, { callsPerSecond: 18, learntPerSecond: 14, calls: 3, refusals: 3 })
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust("20 seconds")
      assert.isAtMost(mostInASecond(countedMs), 14)
      yield* TestClock.adjust("3 minutes")
      assert.deepInclude(yield* budget.status, { learntPerSecond: 18 })
      assert.strictEqual(mostInASecond(countedMs), 18)
    })
  )

  it.effect("passes on what the call gives, and counts other failures as answers", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const both = yield* Effect.forkChild(
        Effect.all([budget.spend(Effect.succeed(7)), Effect.flip(budget.spend(Effect.fail("no")))])
      )
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(both), [7, "no"])
      assert.deepInclude(yield* budget.status, { calls: 2, refusals: 0, learntPerSecond: 18 })
    })
  )
})
