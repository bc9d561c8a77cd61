import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import { clockText, parseClockLine, speedMax, speedMin } from "../../src/calendar/ClockLine.ts"
import { awaitInstant, MarketClock, marketNow, rehearsed } from "../../src/calendar/MarketClock.ts"
import { countingSleeps } from "../support/wakeUps.ts"

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 }))
const Speed = Schema.Finite.check(Schema.isBetween({ minimum: speedMin, maximum: speedMax }))

describe("market time", () => {
  it.effect("is the machine's unless a day is rehearsed", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* marketNow, 5_000)
      const clock = yield* MarketClock
      assert.deepStrictEqual([clock.at(7), clock.wallAt(7), clock.beginsMs], [7, 7, undefined])
    })
  )

  it.effect("runs along its line at its speed in a rehearsal", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* marketNow, 1_000_000 + 60 * 10_000)
    }).pipe(Effect.provideService(MarketClock, rehearsed({ wallMs: 0, marketMs: 1_000_000, speed: 60 })))
  )

  it.prop(
    "has come to an instant at the first millisecond at which it is not before it",
    [Millis, Millis, Millis, Speed],
    ([wallMs, marketMs, wanted, speed]) => {
      const { at, wallAt } = rehearsed({ wallMs, marketMs, speed })
      const found = wallAt(wanted)
      assert.isAtLeast(at(found), wanted)
      assert.isBelow(at(found - 1), wanted)
    }
  )

  it.prop("is handed on as text without losing anything", [Millis, Millis, Speed], ([wallMs, marketMs, speed]) => {
    const line = { wallMs, marketMs, speed }
    assert.deepStrictEqual(parseClockLine(clockText(line)), Result.succeed(line))
  })
})

describe("a market instant", () => {
  it.effect("is waited for by its line, to the millisecond", () =>
    Effect.gen(function* () {
      const waiting = yield* Effect.forkChild(Effect.andThen(awaitInstant(2_000_000), Clock.currentTimeMillis))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Fiber.join(waiting), 1_000_000)
    }).pipe(Effect.provideService(MarketClock, rehearsed({ wallMs: 0, marketMs: 1_000_000, speed: 1 })))
  )

  it.effect("far away is waited for in sleeps of an hour, and one that has passed not at all", () =>
    Effect.gen(function* () {
      const { provide, sleeps } = yield* countingSleeps
      const waiting = yield* Effect.forkChild(provide(awaitInstant(10.5 * 3_600_000)))
      yield* TestClock.adjust("11 hours")
      yield* Fiber.join(waiting)
      assert.strictEqual(sleeps(), 11)
      yield* provide(awaitInstant(0))
      assert.strictEqual(sleeps(), 11)
    })
  )
})
