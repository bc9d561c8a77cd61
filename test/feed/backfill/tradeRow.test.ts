import { assert, describe, it } from "@effect/vitest"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { backfilledSighting, listedTrade } from "../../../src/feed/backfill/tradeRow.ts"
import { tradeSighting } from "../../../src/feed/KisTrade.ts"
import { sampleJson } from "../../support/samples.ts"
import { tradeValues } from "../frames.ts"

type Row = Readonly<Record<string, string>>
const [captured = {}] = sampleJson<{ body: { output2: ReadonlyArray<Row> } }>(
  "rest/cap_inquire_time_itemconclusion_005930_20260527.json"
).body.output2
const date = "20260527"
const atMs = marketInstant(date, "150822") ?? Number.NaN

const read = (row: Row) => {
  const trade = listedTrade(row, date, atMs + 5_000)
  if (trade === undefined || trade === "unreadable") return assert.fail("it is a trade")
  return trade
}

describe("a listed trade", () => {
  it("becomes a trade of the exchange's time and its own phase, with the row as it came", () => {
    assert.deepStrictEqual(backfilledSighting("005930", read(captured), "continuous"), {
      symbol: "005930",
      kind: "trade",
      venue: "KRX",
      receivedAtMs: atMs + 5_000,
      exchangeAtMs: atMs,
      phase: "continuous",
      price: 307_500,
      volume: 1,
      cumVolume: 30_186_067,
      ask: 307_500,
      bid: 307_000,
      flags: ["backfill"],
      payload: captured
    })
  })

  it("is the same as the record of the stream that says the same", () => {
    const values = tradeValues({ 0: "005930", 1: "150822", 2: "307500", 12: "1", 13: "30186067", 33: date })
    const streamed = tradeSighting(values, atMs, 0)
    const { cumVolume, exchangeAtMs, price, volume } = backfilledSighting("005930", read(captured), "continuous")
    assert.deepInclude(streamed, { cumVolume, exchangeAtMs, price, volume })
  })

  it("is read by either name of its price and of its volume", () => {
    const row = { stck_cntg_hour: "150822", stck_pbpr: "100", cntg_vol: "7" }
    const sighting = backfilledSighting("005930", read(row), "continuous")
    assert.deepInclude(sighting, { price: 100, volume: 7, cumVolume: undefined })
  })

  it("of no time is a blank, and of no readable one is told apart", () => {
    assert.isUndefined(listedTrade({ stck_cntg_hour: "", stck_prpr: "0" }, date, 0))
    assert.isUndefined(listedTrade({}, date, 0))
    for (const hour of ["9", "256000", "abc"]) {
      assert.strictEqual(listedTrade({ stck_cntg_hour: hour }, date, 0), "unreadable")
    }
  })

  it("keeps a number that is none for the guard to refuse, and is not reckoned with", () => {
    const trade = read({ stck_cntg_hour: "150822", stck_prpr: "x", cnqn: "1", acml_vol: "y" })
    assert.isUndefined(trade.cumVolume)
    assert.isNaN(backfilledSighting("005930", trade, "continuous").price)
    assert.isNaN(backfilledSighting("005930", trade, "continuous").cumVolume)
  })
})
