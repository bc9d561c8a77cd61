import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makePace } from "../../../src/simulator/market/Pace.ts"

const Delays = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 })))

describe("the pace of the market", () => {
  it.prop("takes the same steps however late the timer is", [Delays], ([delays]) => {
    for (const speed of [1, 60]) {
      const pace = makePace(100, 50_000)
      const startMs = pace.begin(1_000_000_123, speed)
      let wall = 0
      const steps: Array<number> = []
      for (const delay of [...delays, 100]) {
        wall += delay
        steps.push(...pace.due(1_000_000_123 + wall * speed, speed, 400).instants)
      }
      const length = speed === 1 ? 100 : 1_000
      const count = Math.floor((1_000_000_123 + wall * speed - startMs) / length)
      assert.deepStrictEqual(
        steps,
        Array.from({ length: count }, (_, index) => startMs + (index + 1) * length)
      )
    }
  })

  it("makes up five seconds of a long pause and no more", () => {
    const pace = makePace(100, 50_000)
    pace.begin(0, 1)
    const { instants } = pace.due(3_600_000, 1, 400)
    assert.deepStrictEqual([instants.length, instants[0], instants.at(-1)], [50, 3_595_100, 3_600_000])
    pace.begin(0, 60)
    assert.strictEqual(pace.due(3_600_000, 60, 400).instants.length, 300)
  })

  it("cuts a part of the trades when the clock is too fast, and none at the pace of the wall", () => {
    const pace = makePace(100, 50_000)
    pace.begin(0, 1)
    assert.strictEqual(pace.due(100, 1, 1_000_000).part, 1)
    assert.strictEqual(pace.due(100, 60, 400).part, 1)
    assert.strictEqual(pace.due(100, 500, 400).part, 0.25)
  })

  it("never steps back", () => {
    const pace = makePace(100, 50_000)
    pace.begin(0, 1)
    pace.due(1_000, 1, 400)
    assert.deepStrictEqual(pace.due(500, 1, 400).instants, [])
    assert.deepStrictEqual(pace.due(1_100, 1, 400).instants, [1_100])
  })
})
