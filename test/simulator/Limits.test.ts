import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { exchangeOptions, type ExchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import { Limits } from "../../src/simulator/Limits.ts"
import { callWindow, type WindowKind, windowKinds } from "../../src/simulator/limits/callWindow.ts"
import { callsPerSecondOn } from "../../src/simulator/limits/datedLimits.ts"
import { drawLatency } from "../../src/simulator/limits/latency.ts"
import { limitRules } from "../../src/simulator/limits/LimitRules.ts"
import { Market } from "../../src/simulator/Market.ts"
import { seededRandom } from "../../src/simulator/market/SeededRandom.ts"

const second_us = 1_000_000
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))
const Steps = Schema.Array(
  Schema.Struct({ gap: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200_000 })), limit: Limit })
)

/** The rule in its own words, over the whole history. */
const model = (kind: WindowKind, countRefused: boolean) => {
  const counted: Array<number> = []
  return (at: number, limit: number) => {
    const sliding = counted.filter((time) => at - time < second_us).length
    const fixed = counted.filter((time) => Math.floor(time / second_us) === Math.floor(at / second_us)).length
    const admitted = (kind === "fixed" || sliding < limit) && (kind === "sliding" || fixed < limit)
    if (admitted || countRefused) counted.push(at)
    return admitted
  }
}

describe("the call window", () => {
  it.prop(
    "admits what its kind of second allows and nothing else, also when the limit changes on the way",
    [Schema.Literals(windowKinds), Schema.Boolean, Steps],
    ([kind, countRefused, steps]) => {
      const window = callWindow(kind, countRefused)
      const expected = model(kind, countRefused)
      let at = 5_000_000
      for (const { gap, limit } of steps) {
        at += gap
        assert.strictEqual(window.admit(at, limit), expected(at, limit), `at ${at} under ${limit}`)
      }
    }
  )

  it("admits the nineteenth call a whole second after the first, not a microsecond before", () => {
    const window = callWindow("both", false)
    for (let call = 0; call < 18; call++) assert.isTrue(window.admit(100_000 + call, 18))
    assert.isFalse(window.admit(1_099_999, 18))
    assert.isTrue(window.admit(1_100_000, 18))
  })

  it("of the clock lets twice as many through around a full second, where the sliding one does not", () => {
    const admitted = (kind: WindowKind) => {
      const window = callWindow(kind, false)
      const times = Array.from({ length: 36 }, (_, call) => (call < 18 ? 999_000 : 1_000_000) + call)
      return times.filter((time) => window.admit(time, 18)).length
    }
    assert.deepStrictEqual([admitted("fixed"), admitted("sliding"), admitted("both")], [36, 18, 18])
  })

  it("does not open a new second for a call that was seen earlier but comes later", () => {
    const window = callWindow("both", false)
    assert.isTrue(window.admit(2_000_001, 1))
    assert.isFalse(window.admit(1_999_999, 1))
  })
})

describe("the announced limits", () => {
  it("change with the market's date, not with the day the simulator runs on", () => {
    const of = (date: string) => [callsPerSecondOn(date, "live"), callsPerSecondOn(date, "mock")]
    assert.deepStrictEqual(of("20260419"), [20, 2])
    assert.deepStrictEqual(of("20260420"), [18, 1])
    assert.deepStrictEqual(of("20261124"), [18, 1])
  })

  it("are three calls for a new live customer, for three days, since 2026-04-03", () => {
    const on = (date: string, env: "live" | "mock" = "live") => callsPerSecondOn(date, env, "20260501")
    assert.deepStrictEqual(
      ["20260501", "20260503", "20260504"].map((date) => on(date)),
      [3, 3, 18]
    )
    assert.strictEqual(on("20260501", "mock"), 1)
    assert.strictEqual(callsPerSecondOn("20260402", "live", "20260402"), 20)
  })
})

const limitsOf = (given: Partial<ExchangeOptions>) =>
  Limits.layer.pipe(
    Layer.provide(Market.layer),
    Layer.provide(Layer.succeed(Options, exchangeOptions({ tradesPerSecond: 0, ...given }))),
    Layer.fresh
  )

/** How many of so many calls, all made in the same microsecond, are admitted. */
const admittedOf = (calls: number, given: Partial<ExchangeOptions>, lane: "admit" | "admitLedger" = "admit") =>
  Limits.use((limits) =>
    Effect.sync(() => Array.from({ length: calls }).filter(() => limits[lane]("PSKEY", 1_000)).length)
  ).pipe(Effect.provide(limitsOf(given)))

describe("the limits of an exchange", () => {
  it.effect("are those of the date unless a number is given, and none with 0", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* admittedOf(100, { callsPerSecond: 7 }), 7)
      assert.strictEqual(yield* admittedOf(100, { callsPerSecond: 0 }), 100)
      // The test clock stands in 1970.
      assert.strictEqual(yield* admittedOf(100, {}), 20)
      assert.strictEqual(yield* admittedOf(100, { env: "mock" }), 2)
    })
  )

  it.effect("are kept for each app key apart", () =>
    Effect.gen(function* () {
      const limits = yield* Limits
      assert.isTrue(limits.admit("PSKEY", 1_000))
      assert.isFalse(limits.admit("PSKEY", 1_000))
      assert.isTrue(limits.admit("PSOTHER", 1_000))
    }).pipe(Effect.provide(limitsOf({ callsPerSecond: 1 })))
  )

  it.effect("leave the account ledger a lane of its own, of one call a second", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* admittedOf(100, {}, "admitLedger"), 1)
      const rules = { ...limitRules, ledgerCallsPerSecond: 0 }
      assert.strictEqual(yield* admittedOf(100, { limits: rules }, "admitLedger"), 100)
    })
  )

  it.effect("refuse a share of the calls below them when the weather is bad, the same calls for the same seed", () =>
    Effect.gen(function* () {
      const given = (seed: number) => ({ seed, callsPerSecond: 0, limits: { ...limitRules, weather: 0.1 } })
      const count = yield* admittedOf(10_000, given(1))
      assert.isAbove(count, 8_800)
      assert.isBelow(count, 9_200)
      assert.strictEqual(yield* admittedOf(10_000, given(1)), count)
    })
  )
})

describe("latency", () => {
  const drawn = (shape: "uniform" | "logNormal") => {
    const random = seededRandom(3, 1)
    return Array.from({ length: 20_000 }, () => drawLatency({ min_ms: 5, max_ms: 80, shape }, random)).sort(
      (a, b) => a - b
    )
  }

  it("is spread evenly over its range, or has its middle low in it and a tail behind", () => {
    const even = drawn("uniform")
    assert.isAtLeast(even[0] ?? 0, 5)
    assert.isAtMost(even.at(-1) ?? 0, 80)
    assert.closeTo(even[10_000] ?? 0, 42.5, 1)
    const skewed = drawn("logNormal")
    // √(5 × 80)
    assert.closeTo(skewed[10_000] ?? 0, 20, 1)
    assert.closeTo(skewed.filter((ms) => ms >= 5 && ms <= 80).length / 20_000, 0.98, 0.01)
    assert.isAtMost(skewed.at(-1) ?? 0, 400)
  })

  it("is nothing at all by default", () => {
    assert.strictEqual(drawLatency(limitRules.latency, seededRandom(1, 1)), 0)
  })
})
