import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../../src/shard/Guard.ts"
import { quote, tenMs } from "./fixtures.ts"

const nan = Number.NaN

describe("a sighting", () => {
  for (const [name, changes, reason] of [
    ["with a price alone", { price: 1 }, undefined],
    ["with every number", { price: 100, volume: 1, cumVolume: 2, ask: 101, bid: 99 }, undefined],
    ["at half a won", { price: 0.5 }, undefined],
    ["with empty sides, as of a stock at its limit", { price: 100, ask: 0, bid: 0 }, undefined],
    ["with a volume of zero, as before the first trade", { price: 100, volume: 0, cumVolume: 0 }, undefined],
    ["without a price", { price: undefined }, "blankPrice"],
    ["without a price but with a volume", { price: undefined, cumVolume: 5 }, "blankPrice"],
    ["with a price of zero", { price: 0 }, "zeroPrice"],
    ["with a price of minus zero", { price: -0 }, "zeroPrice"],
    ["with a price below zero", { price: -100 }, "zeroPrice"],
    ["whose price is no number", { price: nan }, "badNumber"],
    ["whose volume is no number", { price: 100, volume: nan }, "badNumber"],
    ["whose cumulative volume is no number", { price: 100, cumVolume: nan }, "badNumber"],
    ["whose ask is no number", { price: 100, ask: nan }, "badNumber"],
    ["whose bid is no number and whose price is zero", { price: 0, bid: nan }, "badNumber"]
  ] as const) {
    it(`${name} is ${reason ?? "data"}`, () => assert.strictEqual(refusal(quote("", tenMs, changes)), reason))
  }
})
