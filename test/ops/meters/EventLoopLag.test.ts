import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { until } from "../../support/virtualTime.ts"
import { EventLoopLag } from "../../../src/ops/meters/EventLoopLag.ts"

describe("the lag of the event loop", () => {
  it.live("is let go of after its window and the next, whatever the wall's clock is set to", () =>
    Effect.gen(function* () {
      let monotonicMs = 0
      const lag = new EventLoopLag(() => monotonicMs)
      const worst = () => lag.seconds().at(-1) ?? 0
      yield* until(() => {
        const endMs = performance.now() + 300
        while (performance.now() < endMs);
        return worst() >= 0.2
      })
      const wall = Date.now
      yield* Effect.addFinalizer(() => Effect.sync(() => void (Date.now = wall)))
      Date.now = () => wall() - 86_400_000
      const blocked = worst()
      assert.isAtLeast(blocked, 0.2)
      monotonicMs = 60_000
      assert.strictEqual(worst(), blocked)
      monotonicMs = 120_000
      worst()
      assert.isBelow(worst(), blocked)
    })
  )
})
