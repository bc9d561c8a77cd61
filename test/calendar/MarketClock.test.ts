import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { MarketClock, marketNow, rehearsed } from "../../src/calendar/MarketClock.ts"

describe("market time", () => {
  it.effect("is the machine's unless a day is rehearsed", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* marketNow, 5_000)
    })
  )

  it.effect("runs along its line at its speed in a rehearsal", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* marketNow, 1_000_000 + 60 * 10_000)
    }).pipe(Effect.provideService(MarketClock, rehearsed({ wallMs: 0, marketMs: 1_000_000, speed: 60 })))
  )
})
