import { assert, describe, it } from "@effect/vitest"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { refusal } from "../../src/shard/Guard.ts"
import { capturedFrames } from "../support/samples.ts"
import { tradeValues } from "./frames.ts"

const receivedAtMs = Date.UTC(2026, 8, 14, 6, 7, 47)
const sightingsOf = (id: string) => {
  const frame = decodeFrame(capturedFrames.find((each) => each.id === id)?.frame ?? "")
  assert.strictEqual(frame._tag, "Records")
  return frame._tag === "Records"
    ? frame.records.map((values) => tradeSighting(values, receivedAtMs, frame.extraColumns))
    : []
}
const changed = (changes: Readonly<Record<number, string>>, at = receivedAtMs) =>
  tradeSighting(tradeValues(changes), at, 0)

describe("a captured trade", () => {
  it("of 47 columns becomes a sighting with the exchange's own time and phase", () => {
    const [sighting] = sightingsOf("H0STCNT0-036")
    assert.deepInclude(sighting, {
      symbol: "005930",
      kind: "trade",
      venue: "KRX",
      receivedAtMs,
      exchangeAtMs: marketInstant("20260914", "150746"),
      phase: "continuous",
      price: 249_250,
      volume: 1,
      cumVolume: 14_871_538,
      ask: 249_500,
      bid: 249_000,
      flags: []
    })
    assert.deepStrictEqual(sighting?.payload, tradeValues({}))
  })

  it("of a frame of three are three trades, each with its own values", () => {
    const sightings = sightingsOf("H0STCNT0-037")
    assert.deepStrictEqual(
      sightings.map(({ symbol }) => symbol),
      ["000660", "000660", "000660"]
    )
    assert.strictEqual(new Set(sightings.map(({ cumVolume }) => cumVolume)).size, 3)
  })

  it("at half a tick keeps its price", () => {
    assert.deepStrictEqual(
      ["H0STCNT0-008", "H0STCNT0-009", "H0STCNT0-039"].map((id) => sightingsOf(id)[0]?.price),
      [67_050, 71_950, 277_750]
    )
  })

  it("of the opening auction names no side and is flagged so", () => {
    const [opening] = sightingsOf("H0STCNT0-035")
    assert.deepInclude(opening, { price: 272_000, volume: 200_607, cumVolume: 200_731, flags: ["auction"] })
  })

  it("is data, every one of them", () => {
    const trades = capturedFrames.filter(({ tr }) => tr === "H0STCNT0")
    assert.strictEqual(trades.length, 39)
    const sightings = trades.flatMap(({ id }) => sightingsOf(id))
    assert.isAbove(sightings.length, 100)
    for (const sighting of sightings) {
      assert.isUndefined(refusal(sighting))
      assert.match(sighting.symbol, /^[0-9A-Z]{6}$/)
      assert.isDefined(sighting.exchangeAtMs)
      assert.isTrue((sighting.bid ?? 0) <= (sighting.price ?? 0) || sighting.flags.includes("auction"))
    }
  })
})

describe("a trade", () => {
  it("in a volatility interruption is an auction's, and says so", () => {
    assert.deepStrictEqual(changed({ 43: "C" }).flags, ["auction", "vi"])
    assert.deepInclude(changed({ 43: "B" }), { phase: "openingAuction", flags: ["auction"] })
    assert.deepInclude(changed({ 43: "A" }), { phase: "closingAuction", flags: ["auction"] })
  })

  for (const [code, phase] of [
    ["1", "preOpen"],
    ["2", "continuous"],
    ["3", "afterMarket"],
    ["5", "afterClose"],
    ["9", undefined],
    ["", undefined]
  ] as const) {
    it(`of market ${code === "" ? "blank" : code} is of phase ${phase ?? "unknown"}`, () =>
      assert.strictEqual(changed({ 46: code }).phase, phase))
  }

  it("of 46 columns has no phase of its own", () => {
    assert.isUndefined(tradeSighting(tradeValues({}).slice(0, 46), receivedAtMs, 0).phase)
  })

  it("of more columns than known is flagged as drift and keeps them", () => {
    const sighting = tradeSighting([...tradeValues({}), "new"], receivedAtMs, 1)
    assert.deepInclude(sighting, { flags: ["drift"] })
    assert.strictEqual((sighting.payload as ReadonlyArray<string>)[47], "new")
  })

  it("without a date is of the market's day on which it came, also before nine in the morning UTC", () => {
    const late = Date.UTC(2026, 8, 13, 23, 30)
    assert.strictEqual(changed({ 1: "083000", 33: "" }, late).exchangeAtMs, late)
  })

  for (const [name, changes] of [
    ["hour", { 1: "246000" }],
    ["blank hour", { 1: "" }],
    ["date", { 33: "20260931" }]
  ] as const) {
    it(`with a wrong ${name} has no time of the exchange`, () => assert.isUndefined(changed(changes).exchangeAtMs))
  }

  it("with values that are no numbers is for the guard to refuse", () => {
    assert.strictEqual(refusal(changed({ 2: "n/a" })), "badNumber")
    assert.strictEqual(refusal(changed({ 13: "1e5" })), "badNumber")
    assert.strictEqual(refusal(changed({ 2: "" })), "blankPrice")
    assert.strictEqual(refusal(changed({ 2: "0" })), "zeroPrice")
    assert.strictEqual(refusal(changed({ 12: " \u0000" })), "badNumber")
  })
})
