import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Increases } from "../../../src/ops/alerts/Increases.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Steps = Schema.NonEmptyArray(Schema.Struct({ after_ms: between(1, 30_000), by: between(0, 9) }))

describe("increases", () => {
  it.prop("are the steps within the window, to the next sample", [Steps, between(10, 900)], ([steps, seconds]) => {
    const increases = new Increases()
    const all: Array<{ readonly atMs: number; readonly total: number }> = []
    let atMs = 1_000_000
    let total = 5
    for (const { after_ms, by } of steps) {
      atMs += after_ms
      total += by
      all.push({ atMs, total })
      increases.note(atMs, { total })
    }
    const totalAt = (ms: number) => (all.findLast((each) => each.atMs <= ms) ?? all[0])?.total ?? 0
    const risen = increases.over(seconds, "total")
    assert.isAtLeast(risen, total - totalAt(atMs - seconds * 1_000))
    // Samples are kept ten seconds apart, and a look may come thirty seconds after the one before.
    assert.isAtMost(risen, total - totalAt(atMs - seconds * 1_000 - 40_000))
  })

  it("of what began anew are what it has by then", () => {
    const increases = new Increases()
    increases.note(0, { restarts: 7 })
    increases.note(10_000, { restarts: 2 })
    increases.note(20_000, { restarts: 3, refusals: 4 })
    assert.strictEqual(increases.over(600, "restarts"), 3)
    assert.strictEqual(increases.over(600, "refusals"), 4)
    assert.strictEqual(increases.over(600, "unheard of"), 0)
  })

  it("begin anew with a clock that is set back", () => {
    const increases = new Increases()
    increases.note(100_000, { calls: 5 })
    increases.note(110_000, { calls: 9 })
    increases.note(50_000, { calls: 9 })
    assert.strictEqual(increases.over(600, "calls"), 0)
  })
})
