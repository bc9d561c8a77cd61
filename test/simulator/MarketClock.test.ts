import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { exchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import { clockOptionsOf } from "../../src/simulator/market/ClockOptions.ts"
import { MarketClock } from "../../src/simulator/MarketClock.ts"
import { at } from "./market/floors.ts"

const clock = (given: Parameters<typeof clockOptionsOf>[0]) =>
  Layer.provide(
    MarketClock.layer,
    Layer.succeed(Options, exchangeOptions({ clock: Result.getOrThrow(clockOptionsOf(given)) }))
  )

describe("the market's clock", () => {
  it.effect("is the wall's unless told otherwise", () =>
    Effect.gen(function* () {
      const { hours, nowMs } = yield* MarketClock
      yield* TestClock.setTime(1_234_567)
      assert.deepStrictEqual([nowMs(), hours], [1_234_567, "always"])
    }).pipe(Effect.provide(clock({})))
  )

  it.effect("begins at its date when the exchange does, and runs as fast as it is told", () =>
    Effect.gen(function* () {
      const { hours, nowMs, set } = yield* MarketClock
      assert.deepStrictEqual([nowMs(), hours], [at("20261119", "082000"), "calendar"])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(nowMs(), at("20261119", "083000"))
      assert.isUndefined(set({ speed: 1 }))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(nowMs(), at("20261119", "083010"))
      assert.isUndefined(set({ hour: "090000" }))
      assert.strictEqual(nowMs(), at("20261119", "090000"))
      assert.isUndefined(set({ date: "2026-11-20" }))
      assert.strictEqual(nowMs(), at("20261120", "082000"))
      assert.isDefined(set({ hour: "99" }))
      assert.strictEqual(nowMs(), at("20261120", "082000"))
    }).pipe(Effect.provide(clock({ date: "2026-11-19", speed: 60 })))
  )

  it.effect("keeps to the line that ties it to the wall's, wherever it begins", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 24, 0, 1))
      const { nowMs } = yield* Effect.provide(
        MarketClock,
        clock({ line: "2026-11-24T00:00:00Z=2026-11-19T08:20:00x60" })
      )
      assert.strictEqual(nowMs(), at("20261119", "092000"))
    })
  )
})
