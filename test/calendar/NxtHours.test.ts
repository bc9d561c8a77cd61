import { assert, describe, it } from "@effect/vitest"
import { marketHour } from "../../src/calendar/MarketTime.ts"
import { nxtHours } from "../../src/calendar/NxtHours.ts"

const told = (date: string) =>
  nxtHours(date).map(({ fromMs, part, toMs }) => `${part} ${marketHour(fromMs)}-${marketHour(toMs)}`)

describe("the hours of Nextrade", () => {
  it("are the published ones, before and after the exchange got its own after-market", () => {
    for (const date of ["20250304", "20260911", "20261118"]) {
      assert.deepStrictEqual(told(date), ["preMarket 080000-085000", "main 090030-152000", "afterMarket 154000-200000"])
    }
  })

  it("follow the exchange on late days", () => {
    assert.deepStrictEqual(told("20261119"), [
      "preMarket 090000-095000",
      "main 100030-162000",
      "afterMarket 164000-200000"
    ])
  })

  it("are none on holidays and before its first day", () => {
    assert.deepStrictEqual([told("20261009"), told("20261121"), told("20250303"), told("20250228")], [[], [], [], []])
  })
})
