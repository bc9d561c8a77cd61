import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Sighting } from "../../src/domain/Sighting.ts"
import { refusal } from "../../src/shard/Guard.ts"
import { next, type SymbolState, type Verdict } from "../../src/shard/SymbolState.ts"

const heartbeat_ms = 300_000

const quote = (given: Partial<Sighting> = {}): Sighting => ({
  symbol: "005930",
  kind: "quote",
  venue: "KRX",
  receivedAtMs: 0,
  price: 70_000,
  flags: [],
  sameness: "70000",
  payload: {},
  ...given
})

const trade = (cumVolume: number, at = "20261124"): Sighting =>
  quote({
    kind: "trade",
    exchangeAtMs: marketInstant(at, "100000"),
    volume: 1,
    cumVolume,
    sameness: `100000^70000^1^${cumVolume}`
  })

const run = (sightings: ReadonlyArray<Sighting>): ReadonlyArray<Verdict> => {
  let state: SymbolState | undefined
  return sightings.map((sighting) => {
    const judged = next(state, sighting, heartbeat_ms)
    state = judged.state
    return judged.verdict
  })
}

const tags = (verdicts: ReadonlyArray<Verdict>) => verdicts.map(({ _tag }) => _tag)

describe("the guard", () => {
  for (const [name, given, expected] of [
    ["a price", {}, undefined],
    ["a half tick", { price: 67_050.5 }, undefined],
    ["no price", { price: undefined }, "blankPrice"],
    ["a price of zero", { price: 0 }, "zeroPrice"],
    ["a negative price", { price: -1 }, "zeroPrice"],
    ["a price that is no number", { price: Number.NaN }, "badNumber"],
    ["a volume that is no number", { volume: Number.NaN }, "badNumber"],
    ["an ask that is no number beside a blank price", { price: undefined, ask: Number.NaN }, "badNumber"],
    ["an ask of zero, as at the upper limit", { ask: 0 }, undefined]
  ] as const) {
    it(`answers ${expected ?? "data"} to ${name}`, () => assert.strictEqual(refusal(quote(given)), expected))
  }
})

describe("quotes of one symbol", () => {
  it("the same again is a duplicate until the heartbeat is over, and then written once", () => {
    const at = (receivedAtMs: number) => quote({ receivedAtMs })
    const verdicts = run([at(0), at(1), at(heartbeat_ms - 1), at(heartbeat_ms), at(heartbeat_ms + 1)])
    assert.deepStrictEqual(tags(verdicts), ["Store", "Duplicate", "Duplicate", "Store", "Duplicate"])
  })

  it("a refused row is refused once and then a duplicate, so that a symbol without a price does not fill the record", () => {
    const blank = quote({ price: undefined, sameness: "" })
    assert.deepStrictEqual(tags(run([blank, blank, quote()])), ["Reject", "Duplicate", "Store"])
  })

  it.prop(
    "are stored exactly when they say something new",
    [Schema.Array(Schema.Literals(["a", "b", "c"]))],
    ([texts]) => {
      const verdicts = run(texts.map((sameness, index) => quote({ sameness, receivedAtMs: index })))
      const expected = texts.map((text, index) => (text === texts[index - 1] ? "Duplicate" : "Store"))
      assert.deepStrictEqual(tags(verdicts), expected)
    }
  )
})

describe("trades of one symbol", () => {
  it("a repeated one is dropped, wherever it comes among the newest", () => {
    assert.deepStrictEqual(tags(run([trade(10), trade(11), trade(10), trade(11)])), [
      "Store",
      "Store",
      "Duplicate",
      "Duplicate"
    ])
  })

  it("one behind the volume already reached is kept and called late", () => {
    const [, , late] = run([trade(10), trade(12), trade(11)])
    assert.deepStrictEqual(late, { _tag: "Store", flags: ["late"] })
  })

  it("a new day begins at nothing: its small volumes are not late", () => {
    const [, first] = run([trade(1_000_000, "20261124"), trade(5, "20261125")])
    assert.deepStrictEqual(first, { _tag: "Store", flags: [] })
  })

  it("a trade and a quote that look alike do not hide each other", () => {
    const likeness = quote({ sameness: trade(10).sameness })
    assert.deepStrictEqual(tags(run([trade(10), likeness, trade(10), likeness])), [
      "Store",
      "Store",
      "Duplicate",
      "Duplicate"
    ])
  })

  it.prop(
    "each of a shuffled and repeated handful is stored exactly once",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })))],
    ([volumes]) => {
      const verdicts = run(volumes.map((volume) => trade(volume)))
      const stored = volumes.filter((_, index) => verdicts[index]?._tag === "Store")
      assert.deepStrictEqual(
        [...stored].sort((a, b) => a - b),
        [...new Set(volumes)].sort((a, b) => a - b)
      )
    }
  )
})
