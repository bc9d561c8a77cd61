import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { callWindow } from "../../src/simulator/Limits.ts"

const second_us = 1_000_000
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))
const Gaps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200_000 })))

/** The rule in its own words, over the whole history. */
const model = (limit: number) => {
  const admitted: Array<number> = []
  return (at: number) => {
    const sliding = admitted.filter((time) => at - time < second_us).length
    const fixed = admitted.filter((time) => Math.floor(time / second_us) === Math.floor(at / second_us)).length
    if (sliding >= limit || fixed >= limit) return false
    admitted.push(at)
    return true
  }
}

describe("the call window", () => {
  it.prop(
    "admits what the sliding and the fixed second both allow, and nothing else",
    [Limit, Gaps],
    ([limit, gaps]) => {
      const window = callWindow(limit)
      const expected = model(limit)
      let at = 5_000_000
      for (const gap of gaps) {
        at += gap
        assert.strictEqual(window.admit(at), expected(at), `at ${at}`)
      }
    }
  )

  it("admits the nineteenth call a whole second after the first, not a microsecond before", () => {
    const window = callWindow(18)
    for (let call = 0; call < 18; call++) assert.isTrue(window.admit(100_000 + call))
    assert.isFalse(window.admit(1_099_999))
    assert.isTrue(window.admit(1_100_000))
  })

  it("does not open a new second for a call that was seen earlier but comes later", () => {
    const window = callWindow(1)
    assert.isTrue(window.admit(2_000_001))
    assert.isFalse(window.admit(1_999_999))
  })
})
