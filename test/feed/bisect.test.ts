import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { bisect } from "../../src/feed/sweep/bisect.ts"

const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)

/** A broker that fails every call in which one of the sick stands, and is gone after so many calls. */
const brokerWith = (sick: ReadonlySet<string>, calls_max = Number.POSITIVE_INFINITY) => {
  const answered: Array<string> = []
  let calls = 0
  const ask = (part: ReadonlyArray<string>) =>
    Effect.suspend(() => {
      calls += 1
      if (calls > calls_max) return Effect.fail("gone" as const)
      if (part.some((symbol) => sick.has(symbol))) return Effect.fail("refused" as const)
      answered.push(...part)
      return Effect.void
    })
  return { ask, answered, calls: () => calls }
}

const isRefusal = (error: "gone" | "refused") => error === "refused"

describe("a batch that failed", () => {
  it.effect("is asked in halves until the one that is sick is found, with few calls", () =>
    Effect.gen(function* () {
      const batch = codes(30)
      const { answered, ask, calls } = brokerWith(new Set(["001017"]))
      assert.deepStrictEqual(yield* bisect(batch, ask, isRefusal), ["001017"])
      assert.deepStrictEqual(
        [...answered].sort(),
        batch.filter((symbol) => symbol !== "001017")
      )
      assert.isAtMost(calls(), 10)
    })
  )

  it.effect("has nobody sick in it when its halves are answered", () =>
    Effect.gen(function* () {
      const { answered, ask } = brokerWith(new Set())
      assert.deepStrictEqual(yield* bisect(codes(5), ask, isRefusal), [])
      assert.deepStrictEqual(answered, codes(5))
    })
  )

  it.effect("blames nobody for an error that is not about symbols", () =>
    Effect.gen(function* () {
      const { ask, calls } = brokerWith(new Set(["001000"]), 3)
      assert.strictEqual(yield* Effect.flip(bisect(codes(30), ask, isRefusal)), "gone")
      assert.strictEqual(calls(), 4)
    })
  )

  const Size = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 30 }))
  it.effect.prop(
    "answers everybody once who is well and names everybody who is not, whoever they are",
    [Size, Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 29 })))],
    ([size, places]) =>
      Effect.gen(function* () {
        const batch = codes(size)
        const sick = new Set(places.flatMap((place) => batch[place] ?? []))
        const { answered, ask, calls } = brokerWith(sick)
        assert.deepStrictEqual([...(yield* bisect(batch, ask, isRefusal))].sort(), [...sick].sort())
        assert.deepStrictEqual(
          [...answered].sort(),
          batch.filter((symbol) => !sick.has(symbol))
        )
        assert.isAtMost(calls(), 2 * size)
      }),
    { arbitrary: { runs: 200, size: 30 } }
  )
})
