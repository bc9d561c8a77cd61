import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { type ExchangeOptions, exchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import { Market } from "../../src/simulator/Market.ts"
import { clockOptionsOf } from "../../src/simulator/market/ClockOptions.ts"
import { at } from "./market/floors.ts"

const market = (given: Partial<ExchangeOptions>) =>
  Layer.fresh(Layer.provide(Market.layer, Layer.succeed(Options, exchangeOptions(given))))

const clockOf = (given: Parameters<typeof clockOptionsOf>[0]) => Result.getOrThrow(clockOptionsOf(given))

describe("the market", () => {
  it.effect("runs from 08:20 of its date through the open, as fast as asked", () =>
    Effect.gen(function* () {
      const { listen, view } = yield* Market
      const hours = new Set<string>()
      const steps: Array<number> = []
      listen({
        onTrade: (_, { auction, hour, venue }) => auction && venue === "KRX" && hours.add(hour),
        onStepEnd: () => steps.push(view.nowMs())
      })
      assert.deepStrictEqual([view.date(), view.phase()], ["20261118", "preOpen"])
      yield* TestClock.adjust("39 seconds")
      assert.deepStrictEqual([view.phase(), hours.size], ["openingAuction", 0])
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(view.phase(), "continuous")
      assert.isTrue(hours.size > 10 && [...hours].every((hour) => hour >= "090000" && hour < "090130"))
      assert.strictEqual(view.nowMs(), at("20261118", "090100"))
      assert.deepStrictEqual(
        steps,
        steps.map((_, index) => at("20261118", "082001") + index * 1_000)
      )
    }).pipe(Effect.provide(market({ tradesPerSecond: 2, clock: clockOf({ date: "2026-11-18", speed: 60 }) })))
  )

  it.effect("sends the same bytes for the same seed, steps and date", () => {
    const told = Effect.gen(function* () {
      const { listen } = yield* Market
      const lines: Array<string> = []
      listen({
        onTrade: (issue, trade) => lines.push(JSON.stringify([issue.entry.code, issue.volume, trade])),
        onBook: (issue) => lines.push(`${issue.entry.code} ${issue.totalBidSize}`),
        onIndex: (level) => lines.push(JSON.stringify(level))
      })
      yield* TestClock.adjust("3 seconds")
      return lines
    })
    const run = (seed: number) =>
      Effect.provide(
        told,
        market({ seed, tradesPerSecond: 20, clock: clockOf({ date: "2026-11-18", time: "085950", speed: 10 }) })
      )
    return Effect.gen(function* () {
      const first = yield* run(1)
      assert.isAbove(first.length, 100)
      assert.deepStrictEqual(yield* run(1), first)
      assert.notDeepEqual(yield* run(2), first)
    })
  })

  it.effect("trades at once and for ever when no date is given", () =>
    Effect.gen(function* () {
      const { view } = yield* Market
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(view.phase(), "continuous")
      assert.approximately(view.tradesMade(), 800, 60)
    }).pipe(Effect.provide(market({})))
  )

  it.effect("moves to another date, hour and speed when told to", () =>
    Effect.gen(function* () {
      const { control, view } = yield* Market
      assert.isUndefined(control.setClock({ date: "20261119", hour: "162955", speed: 10 }))
      assert.deepStrictEqual([view.date(), view.phase()], ["20261119", "closingAuction"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(view.phase(), "afterClose")
      assert.strictEqual(view.nowMs(), at("20261119", "163005"))
      assert.match(control.setClock({ speed: -1 }) ?? "", /speed/)
      assert.match(control.setClock({ date: "yesterday" }) ?? "", /date/)
      assert.strictEqual(view.nowMs(), at("20261119", "163005"))
    }).pipe(Effect.provide(market({ tradesPerSecond: 2 })))
  )
})
