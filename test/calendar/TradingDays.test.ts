import { assert, describe, it } from "@effect/vitest"
import { dayKind, isTradingDay, tradingDayBefore } from "../../src/calendar/TradingDays.ts"

describe("trading days", () => {
  it("are weekdays that are no holidays", () => {
    assert.deepStrictEqual(
      ["20261118", "20261119", "20261121", "20261122", "20260925", "20261231"].map((date) => isTradingDay(date)),
      [true, true, false, false, false, false]
    )
  })

  it("have an hour of their own in each year of the table for the college entrance exam", () => {
    for (const date of ["20241114", "20251113", "20261119", "20271118"]) assert.strictEqual(dayKind(date, 4), "exam")
    assert.strictEqual(dayKind("20271111", 4), "ordinary")
  })

  it("are found behind weekends and holidays", () => {
    assert.strictEqual(tradingDayBefore("20261118"), "20261117")
    assert.strictEqual(tradingDayBefore("20261116"), "20261113")
    assert.strictEqual(tradingDayBefore("20260928"), "20260923")
    assert.strictEqual(tradingDayBefore("20270104"), "20261230")
  })
})
