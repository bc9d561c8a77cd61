import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"

const at = (date: string, hour: string) => TestClock.setTime(marketInstant(date, hour) ?? Number.NaN)
const calendar = Effect.provide(MarketSession.layer("calendar"))
const always = Effect.provide(MarketSession.layer("always"))

describe("the market's session by the calendar", () => {
  it.effect("is waited for over a weekend, and found open within ten seconds of it", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261120", "200003")
      const waiting = yield* Effect.forkChild(session.awaitOpen)
      yield* at("20261123", "075959")
      assert.isFalse(yield* session.isOpen)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(yield* session.isOpen)
      yield* Fiber.join(waiting)
    }).pipe(calendar)
  )

  it.effect("is not waited for while it is open", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261123", "195959")
      yield* session.awaitOpen
      assert.strictEqual(yield* session.phase, "afterMarket")
    }).pipe(calendar)
  )
})

describe("the market's session of a market that never closes", () => {
  it.effect("is open on New Year's night", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20270101", "030000")
      yield* session.awaitOpen
      assert.strictEqual(yield* session.phase, "continuous")
      assert.isTrue(yield* session.isOpen)
    }).pipe(always)
  )
})
