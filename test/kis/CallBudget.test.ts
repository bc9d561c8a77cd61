import { assert, describe, it } from "@effect/vitest"
import { Clock, type Duration, Effect, Fiber, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { AnswerBegun } from "../../src/kis/AnswerBegun.ts"
import { type CallBudget, makeCallBudget } from "../../src/kis/CallBudget.ts"
import { KisBudgetBusy, KisThrottled, KisUnreachable } from "../../src/kis/KisError.ts"

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

const throttled = (code: string) => new KisThrottled({ operation: "price", code })

/** Virtual time that a call takes. */
const pause = (duration: Duration.Input) => Effect.delay(Effect.void, duration)

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
        const budget = yield* makeCallBudget(limit, { wait_ms_max: 3_600_000 })
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

  it.effect("loses less than 0.4 % beside the latency to six callers with answers after 5 to 80 ms", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18, { spent: 0 })
      const { call, countedMs } = makeBroker()
      let seed = 1
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
      const held_ms: Array<number> = []
      const jittered = Effect.suspend(() => {
        const latency_ms = 5 + random() * 75
        const there_ms = latency_ms * random()
        held_ms.push(1_000 + latency_ms)
        return call({ there_ms, back_ms: latency_ms - there_ms })
      })
      yield* Effect.forkChild(callers(budget, jittered, 6))
      yield* TestClock.adjust("2 minutes")
      const bound = (18 * 120_000) / (held_ms.reduce((sum, each) => sum + each, 0) / held_ms.length)
      assert.isAtLeast(countedMs.length, bound * 0.996)
      assert.isAtMost(mostInASecond(countedMs), 18)
      assert.isAtMost(mostInAFixedSecond(countedMs), 18)
    })
  )

  it.effect("spreads its calls evenly", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 10, back_ms: 10 }), 18))
      yield* TestClock.adjust("10 seconds")
      const apart = countedMs.slice(1).map((at, index) => at - (countedMs[index] ?? 0))
      assert.isAbove(apart.length, 100)
      assert.isAtLeast(Math.min(...apart), 55)
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
      const refused = budget.spend(Effect.fail(throttled("EGW00201")))
      const storm = yield* Effect.forkChild(Effect.forEach([1, 2, 3, 4, 5], () => Effect.flip(refused)))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(storm)
      assert.deepInclude(yield* budget.status, { callsPerSecond: 18, learntPerSecond: 6, calls: 5, refusals: 5 })
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust("4 seconds")
      assert.isAtMost(mostInASecond(countedMs), 6)
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

  const Fate = Schema.Literals(["answered", "failed", "cutOff", "crashed", "interrupted"])
  const fates = Schema.Struct({
    after_ms: Delay,
    there_ms: Delay,
    back_ms: Delay,
    fate: Fate,
    caller: Schema.Literals(["sweep", "backfill", "calendar"]),
    lane: Schema.Literals(["quotes", "quotes", "quotes", "ledger"])
  })
  it.effect.prop(
    "keeps to every limit, and loses no place, whatever becomes of the calls and of those who wait",
    [Limit, Schema.Array(fates).check(Schema.isMaxLength(60))],
    ([limit, journeys]) =>
      Effect.gen(function* () {
        const budget = yield* makeCallBudget(limit, { wait_ms_max: 20_000 })
        const sentMs: Array<number> = []
        const counted = { quotes: [] as Array<number>, ledger: [] as Array<number> }
        /** The broker counts what was sent, whether or not anybody waits for the answer; what strays does so for a second. */
        const call = ({ back_ms, fate, lane, there_ms }: typeof fates.Type) =>
          Effect.gen(function* () {
            const now = yield* monotonicMs
            const answered = fate === "answered" || fate === "failed"
            sentMs.push(now)
            counted[lane].push(now + (answered ? there_ms : Math.min(there_ms, 1_000)))
            yield* pause(answered ? there_ms + back_ms : back_ms)
            if (fate === "failed") return yield* Effect.fail("refused")
            if (fate === "crashed") return yield* Effect.die("crashed")
            if (fate === "cutOff") return yield* new KisUnreachable({ operation: "price", detail: "ECONNRESET" })
            if (fate === "interrupted") return yield* Effect.interrupt
          })
        let at_ms = 0
        const fibers = yield* Effect.forEach(journeys, (journey) => {
          at_ms += journey.after_ms
          const spent = budget.spend(call(journey), { caller: journey.caller, lane: journey.lane })
          // Half of those to be interrupted are so while they wait, perhaps.
          const fate = journey.fate === "interrupted" ? Effect.timeoutOption(spent, journey.back_ms) : spent
          return Effect.forkChild(Effect.exit(Effect.delay(fate, at_ms)))
        })
        yield* TestClock.adjust("1 hour")
        for (const fiber of fibers) yield* Fiber.join(fiber)
        const all = [...counted.quotes, ...counted.ledger]
        assert.isAtMost(mostInASecond(all), limit)
        assert.isAtMost(mostInAFixedSecond(all), limit)
        assert.isAtMost(mostInASecond(counted.ledger), 1)
        const apart = sentMs.slice(1).map((at, index) => at - (sentMs[index] ?? 0))
        assert.isAtLeast(Math.min(Infinity, ...apart), (1_000 / limit) * 0.2 - 1e-6)
        const status = yield* budget.status
        assert.deepInclude(status, { calls: sentMs.length, waiting: 0, callsLastSecond: 0 })
        assert.strictEqual(status.ledger.calls, counted.ledger.length)

        const after = makeBroker()
        yield* Effect.forkChild(callers(budget, after.call({ there_ms: 0, back_ms: 0 })))
        yield* TestClock.adjust("10 seconds")
        assert.isAtLeast(after.countedMs.length, limit * 9)
        const ledger = makeBroker()
        const ledgerCall = budget.spend(ledger.call({ there_ms: 0, back_ms: 0 }), {
          lane: "ledger",
          caller: "calendar"
        })
        yield* Effect.forkChild(Effect.forever(ledgerCall))
        yield* TestClock.adjust("10 seconds")
        assert.isAtLeast(ledger.countedMs.length, Math.min(8, limit * 4))
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("keeps a place for a second longer when a call was given up, for it may still be on its way", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(1, { spent: 0 })
      const stray = yield* Effect.forkChild(budget.spend(Effect.never))
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(stray)
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust(1_990)
      assert.deepStrictEqual(countedMs, [])
      yield* TestClock.adjust(10)
      assert.strictEqual(countedMs.length, 1)
    })
  )

  it.effect("loses no place of a call that is interrupted between being given it and being made", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(3, { spent: 0 })
      const next: { fiber?: Fiber.Fiber<void, unknown>; made: number } = { made: 0 }
      // The next may go from 333.3 ms on and sleeps until 334: the answer in between gives it its place, and as its fiber
      // yields after a few steps, it has not come to its call when it is interrupted.
      const first = Effect.gen(function* () {
        const begun = yield* AnswerBegun
        yield* pause(333.5)
        begun()
        next.fiber?.interruptUnsafe()
      })
      const done = yield* Effect.forkChild(budget.spend(first))
      yield* TestClock.adjust(1)
      const waiting = budget.spend(Effect.sync(() => void (next.made += 1)))
      next.fiber = yield* Effect.forkChild(Effect.provideService(waiting, References.MaxOpsBeforeYield, 4))
      yield* TestClock.adjust(1_000)
      yield* Fiber.join(done)
      assert.strictEqual(next.made, 0)
      assert.deepInclude(yield* budget.status, { calls: 1, waiting: 0 })
      const { call, countedMs } = makeBroker()
      yield* Effect.forkChild(callers(budget, call({ there_ms: 0, back_ms: 0 })))
      yield* TestClock.adjust("10 seconds")
      assert.isAtLeast(countedMs.length, 29)
    })
  )

  it.effect("gives a place back from the head of the answer on, and not again at its end", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(1, { spent: 0 })
      const { call, countedMs } = makeBroker()
      const slowBody = Effect.gen(function* () {
        const begun = yield* AnswerBegun
        yield* call({ there_ms: 0, back_ms: 100 })
        begun()
        begun()
        yield* pause("3 seconds")
      })
      yield* Effect.forkChild(callers(budget, slowBody, 4))
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(
        countedMs.map((at) => at - (countedMs[0] ?? 0)),
        Array.from({ length: countedMs.length }, (_, at) => at * 1_101)
      )
      assert.strictEqual(countedMs.length, 19)
    })
  )

  it.effect("lets callers take turns, so that the one who asks for much keeps nobody waiting", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(5)
      const order: Array<string> = []
      const ask = (caller: string, count: number) =>
        Effect.forEach(
          Array.from({ length: count }, (_, at) => at),
          (at) =>
            Effect.forkChild(
              budget.spend(
                Effect.sync(() => order.push(`${caller}${at}`)),
                { caller }
              )
            )
        )
      yield* ask("backfill", 6)
      yield* ask("sweep", 3)
      yield* ask("calendar", 1)
      yield* TestClock.adjust("1 minute")
      const first = "backfill0 sweep0 calendar0 backfill1 sweep1 backfill2 sweep2 backfill3 backfill4 backfill5"
      assert.deepStrictEqual(order, first.split(" "))
    })
  )

  it.effect("lets a ledger call wait for its own second without keeping quotes, its caller's neither", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const { call, countedMs } = makeBroker()
      const ledger = makeBroker()
      const still = { there_ms: 0, back_ms: 0 }
      const spendLedger = budget.spend(ledger.call(still), { lane: "ledger" })
      yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 5 }, () => spendLedger),
          { concurrency: "unbounded" }
        )
      )
      yield* Effect.forkChild(callers(budget, call(still)))
      yield* TestClock.adjust("6 seconds")
      assert.isAtLeast(countedMs.length, 80)
      assert.strictEqual(ledger.countedMs.length, 5)
      assert.strictEqual(mostInASecond(ledger.countedMs), 1)
      assert.isAtMost(mostInASecond([...countedMs, ...ledger.countedMs]), 18)
      assert.deepStrictEqual((yield* budget.status).ledger, { calls: 5, refusals: 0, waiting: 0 })
    })
  )

  it.effect("answers the ledger's refusal with a longer wait in its lane, and no lower rate for anything else", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18)
      const triedMs: Array<number> = []
      const refused = Effect.andThen(
        Effect.map(monotonicMs, (now) => triedMs.push(now)),
        Effect.fail(throttled("EGW00215"))
      )
      const tries = Effect.forEach(Array.from({ length: 10 }), () =>
        Effect.flip(budget.spend(refused, { lane: "ledger" }))
      )
      yield* Effect.forkChild(tries)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(triedMs.length, 10)
      const apart = triedMs.slice(1).map((at, index) => at - (triedMs[index] ?? 0))
      assert.isAtLeast(Math.min(...apart), 2_000)
      assert.deepInclude(yield* budget.status, { learntPerSecond: 18, refusals: 0 })
      assert.strictEqual((yield* budget.status).ledger.refusals, 10)
    })
  )

  it.effect("turns a call away whose caller has too many waiting, or whose turn does not come in time", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(1, { waiting_max: 2, wait_ms_max: 5_000, spent: 0 })
      const stuck = yield* Effect.forkChild(budget.spend(Effect.never, { caller: "sweep" }))
      yield* TestClock.adjust(1)
      const waiting = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(Effect.flip(budget.spend(Effect.void, { caller: "sweep" })))
      )
      yield* TestClock.adjust(1)
      const full = yield* Effect.flip(budget.spend(Effect.void, { caller: "sweep" }))
      assert.instanceOf(full, KisBudgetBusy)
      assert.deepInclude(full, { caller: "sweep", reason: "full", waiting: 2 })
      const other = yield* Effect.forkChild(Effect.flip(budget.spend(Effect.void, { caller: "calendar" })))
      yield* TestClock.adjust(4_997)
      assert.strictEqual((yield* budget.status).waiting, 3)
      yield* TestClock.adjust(3)
      for (const fiber of [...waiting, other]) {
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.reason, "timeout")
      }
      assert.deepInclude(yield* budget.status, { waiting: 0, turnedAway: 4, calls: 1 })
      yield* Fiber.interrupt(stuck)
    })
  )

  /** A broker that takes so many calls in a second and refuses the rest, which it does not count. */
  const strictBroker = (limit: () => number) => {
    let admittedMs: Array<number> = []
    let refusals = 0
    const call = Effect.gen(function* () {
      yield* pause(20)
      const now = yield* monotonicMs
      admittedMs = admittedMs.filter((at) => at > now - 1_000)
      const admitted = admittedMs.length < limit()
      if (admitted) admittedMs.push(now)
      else refusals += 1
      yield* pause(20)
      if (!admitted) return yield* throttled("EGW00201")
    })
    const asked = (budget: CallBudget) => Effect.catchTag(budget.spend(call), "KisThrottled", () => pause("200 millis"))
    return { refusals: () => refusals, asked }
  }

  it.effect("settles within seconds on a key that has three calls a second, with few refusals then and later", () =>
    Effect.gen(function* () {
      const budget = yield* makeCallBudget(18, { spent: 0 })
      const broker = strictBroker(() => 3)
      const run = Effect.all(
        Array.from({ length: 8 }, () => Effect.forever(Effect.orDie(broker.asked(budget)))),
        { concurrency: "unbounded", discard: true }
      )
      yield* Effect.forkChild(run)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* budget.status).learntPerSecond, 3)
      assert.isAtMost(broker.refusals(), 15)
      const before = { refusals: broker.refusals(), calls: (yield* budget.status).calls }
      yield* TestClock.adjust("30 minutes")
      const calls = (yield* budget.status).calls - before.calls
      assert.isAtLeast(calls, 30 * 60 * 2.8)
      assert.isAtMost((broker.refusals() - before.refusals) / calls, 0.005)
    })
  )

  it.effect("finds out within twenty minutes that the three days of a key are over", () =>
    Effect.gen(function* () {
      let limit = 3
      const budget = yield* makeCallBudget(18, { spent: 0 })
      const broker = strictBroker(() => limit)
      yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 8 }, () => Effect.forever(Effect.orDie(broker.asked(budget)))),
          { concurrency: "unbounded", discard: true }
        )
      )
      yield* TestClock.adjust("1 hour")
      assert.isAtMost((yield* budget.status).learntPerSecond, 4)
      limit = 18
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual((yield* budget.status).learntPerSecond, 18)
    })
  )
})
