import { assert, describe, it } from "@effect/vitest"
import type { SymbolAge } from "../../src/domain/Assignment.ts"
import { Activity } from "../../src/plan/planner/Activity.ts"

const minute_ms = 60_000
const age = (symbol: string, cumVolume?: number, price?: number): SymbolAge => ({
  symbol,
  target_ms: 10_000,
  staleness_ms: 0,
  late: { times: 0, worst_ms: 0 },
  misses: 0,
  ...(price === undefined ? {} : { price }),
  ...(cumVolume === undefined ? {} : { cumVolume })
})
const of = (activity: Activity) => [activity.of("A00001", 30), activity.of("A00002", 20), activity.of("A00003", 10)]

describe("activity", () => {
  it("is the turnover of the day before until two looks have seen what was traded between them", () => {
    const activity = new Activity()
    assert.deepStrictEqual(of(activity), [30, 20, 10])
    activity.look([age("A00001"), age("A00002")], 0)
    activity.look([age("A00001", 100, 10), age("A00002", 100, 20)], 5 * minute_ms)
    assert.deepStrictEqual(of(activity), [30, 20, 10])
    activity.look([age("A00001", 103, 10), age("A00002", 109, 20)], 10 * minute_ms)
    assert.deepStrictEqual(of(activity), [30, 180, 0])
  })

  it("looks no more often than once a minute, for less says little", () => {
    const activity = new Activity()
    activity.look([age("A00001", 100, 10)], 0)
    activity.look([age("A00001", 200, 10)], minute_ms)
    activity.look([age("A00001", 900, 10)], 2 * minute_ms - 1)
    assert.strictEqual(activity.of("A00001", 0), 1_000)
    activity.look([age("A00001", 300, 10)], 2 * minute_ms)
    assert.strictEqual(activity.of("A00001", 0), 1_000)
    activity.look([age("A00001", 310, 10)], 3 * minute_ms)
    assert.strictEqual(activity.of("A00001", 0), 100)
  })

  it("stays what it was while nothing trades", () => {
    const activity = new Activity()
    for (const [turn, volume] of [100, 200, 200, 200].entries()) {
      activity.look([age("A00001", volume, 10)], turn * 5 * minute_ms)
    }
    assert.strictEqual(activity.of("A00001", 0), 1_000)
  })

  it("takes a counter that fell for that of a new day", () => {
    const activity = new Activity()
    activity.look([age("A00001", 5_000, 10), age("A00002", 5_000, 10)], 0)
    activity.look([age("A00001", 6_000, 10), age("A00002", 6_000, 10)], 5 * minute_ms)
    activity.look([age("A00001", 700, 10), age("A00002", 6_001, 10)], 1_000 * minute_ms)
    assert.deepStrictEqual(of(activity).slice(0, 2), [7_000, 10])
  })
})
