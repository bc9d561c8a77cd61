import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Producers } from "../../src/journal/Producers.ts"

const Append = Schema.Struct({
  producer: Schema.Literals(["a", "b"]),
  number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))
})

describe("the producers of a journal", () => {
  it("let through what has no origin, every time", () => {
    const producers = new Producers()
    assert.strictEqual(producers.fresh([{}, {}]).length, 2)
  })

  it("answer a repeat with the place of the producer's newest append", () => {
    const producers = new Producers()
    const origin = { producer: "a", number: 3 }
    producers.wrote(origin, { first: 10, last: 12 })
    assert.deepStrictEqual(producers.fresh([{ origin }]), [])
    assert.deepStrictEqual(producers.newestOf({ producer: "a", number: 2 }), { first: 10, last: 12 })
    assert.isUndefined(producers.newestOf({ producer: "b", number: 1 }))
  })

  it.prop(
    "let each number of a producer through once and only upwards, in groups of any size",
    [Schema.Array(Schema.Array(Append))],
    ([groups]) => {
      const producers = new Producers()
      const highest = new Map<string, number>()
      for (const group of groups) {
        const sent = group.map((origin) => ({ origin }))
        const expected = sent.filter(({ origin: { number, producer } }) => {
          if (number <= (highest.get(producer) ?? 0)) return false
          highest.set(producer, number)
          return true
        })
        const fresh = producers.fresh(sent)
        assert.deepStrictEqual(fresh, expected)
        for (const { origin } of fresh) producers.wrote(origin, { first: 1, last: 1 })
      }
    }
  )
})
