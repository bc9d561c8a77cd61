import { assert, describe, it } from "@effect/vitest"
import { makePace } from "../../../src/kis/callBudget/Pace.ts"

const even_ms = 100
/** Starts that follow as closely as the pace lets them, each not before the moment it could. */
const startsOf = (pace: ReturnType<typeof makePace>, couldMs: ReadonlyArray<number>) =>
  couldMs.map((could) => {
    const now = Math.max(could, pace.openAtMs(even_ms))
    pace.started(now, even_ms)
    return now
  })

describe("the pace", () => {
  it("is even from the first call on, however long that one had to wait", () => {
    assert.deepStrictEqual(startsOf(makePace(0), [1_000, 1_000, 1_000]), [1_000, 1_100, 1_200])
  })

  it("catches up with a call that was late, a little closer together, and no further than the schedule", () => {
    const starts = startsOf(makePace(0), [0, 0, 370, 370, 370, 370])
    assert.deepStrictEqual(starts, [0, 100, 370, 390, 410, 500])
  })

  it("forgets what is later than three calls", () => {
    const starts = startsOf(makePace(0), [0, 0, 5_000, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(starts, [0, 100, 5_000, 5_020, 5_040, 5_060, 5_100, 5_200])
  })

  it("takes time in which nobody wanted to call for no lateness", () => {
    const pace = makePace(0)
    startsOf(pace, [0])
    pace.wanted(900)
    assert.deepStrictEqual(startsOf(pace, [900, 900]), [900, 1_000])
  })

  it("begins a slower schedule with its first call", () => {
    const pace = makePace(0)
    startsOf(pace, [0])
    pace.started(1_000, 300)
    assert.strictEqual(pace.openAtMs(300), 1_300)
  })
})
