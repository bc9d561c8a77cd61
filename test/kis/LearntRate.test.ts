import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { initialRate, type LearntRate, onAnswered, onRefused } from "../../src/kis/LearntRate.ts"

const refusedAt = (learnt: LearntRate, ...atMs: ReadonlyArray<number>) => atMs.reduce(onRefused, learnt)

describe("the learnt rate", () => {
  it("begins with the published limit", () => assert.strictEqual(initialRate(18, 0).rate, 18))

  it("takes single refusals for weather", () => {
    assert.strictEqual(refusedAt(initialRate(18, 0), 0, 1_000, 2_500, 4_000, 6_000, 60_000).rate, 18)
  })

  it("is lowered by a fifth when three refusals come within two seconds", () => {
    assert.strictEqual(refusedAt(initialRate(18, 0), 0, 999, 1_999).rate, 14)
    assert.strictEqual(refusedAt(initialRate(18, 0), 0, 1_000, 2_000).rate, 18)
  })

  it("needs three new refusals to be lowered again", () => {
    const once = refusedAt(initialRate(18, 0), 0, 1, 2)
    assert.strictEqual(refusedAt(once, 3, 4).rate, 14)
    assert.strictEqual(refusedAt(once, 3, 4, 5).rate, 11)
  })

  it("is never lower than one", () => {
    assert.strictEqual(refusedAt(initialRate(2, 0), ...Array.from({ length: 300 }, (_, at) => at)).rate, 1)
  })

  it("is raised by one after half a minute without a change, back to the limit and no further", () => {
    let learnt = refusedAt(initialRate(18, 0), 0, 0, 0)
    assert.strictEqual(onAnswered(learnt, 29_999).rate, 14)
    const rates: Array<number> = []
    for (let at = 30_000; at <= 240_000; at += 30_000) {
      learnt = onAnswered(onAnswered(learnt, at), at + 1)
      rates.push(learnt.rate)
    }
    assert.deepStrictEqual(rates, [15, 16, 17, 18, 18, 18, 18, 18])
  })

  const Step = Schema.Struct({
    refused: Schema.Boolean,
    after_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))
  })
  it.prop(
    "stays between one and the limit whatever happens, and remembers few refusals",
    [Schema.Array(Step)],
    ([steps]) => {
      let learnt = initialRate(18, 0)
      let now = 0
      for (const { after_ms, refused } of steps) {
        now += after_ms
        const before = learnt.rate
        learnt = refused ? onRefused(learnt, now) : onAnswered(learnt, now)
        assert.isTrue(Number.isInteger(learnt.rate) && learnt.rate >= 1 && learnt.rate <= 18)
        assert.isTrue(refused ? learnt.rate <= before : learnt.rate - before <= 1)
        assert.isBelow(learnt.refusedAtMs.length, 3)
      }
    }
  )
})
