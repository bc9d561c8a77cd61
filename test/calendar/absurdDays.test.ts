import { assert, describe, it } from "@effect/vitest"
import { whyAbsurd } from "../../src/calendar/absurdDays.ts"
import { marketDate, marketMidnight } from "../../src/calendar/MarketTime.ts"
import { isTradingDay } from "../../src/calendar/TradingDays.ts"

const first = "20261124"
/** A page of 24 days from a date on, each open as it is told. */
const page = (isOpen: (date: string) => boolean, from = first, count = 24) =>
  new Map(
    Array.from({ length: count }, (_, day) => marketDate(marketMidnight(from) + day * 86_400_000)).map((date) => [
      date,
      isOpen(date)
    ])
  )

describe("what the broker says of days", () => {
  it("is believed where it is the table, or corrects it by some days", () => {
    assert.isUndefined(whyAbsurd(page(isTradingDay), first))
    for (const closed of [["20261125"], ["20261124", "20261125", "20261130"]]) {
      assert.isUndefined(
        whyAbsurd(
          page((date) => isTradingDay(date) && !closed.includes(date)),
          first
        )
      )
    }
    const christmas = page((date) => isTradingDay(date) || date === "20261225", "20261224")
    assert.isUndefined(whyAbsurd(christmas, "20261224"))
  })

  it("is believed of the longest closures there were", () => {
    // Chuseok 2017: 30 September to 9 October.
    const chuseok = page((date) => date >= "20171010" || date < "20170930", "20170928", 16)
    for (const weekend of ["20171014", "20171015"]) chuseok.delete(weekend)
    chuseok.delete("20171007")
    assert.isUndefined(whyAbsurd(chuseok, "20170928"))
  })

  it.each([
    ["is empty", new Map<string, boolean>(), /does not hold the day asked for, 20261124/],
    ["begins elsewhere", page(isTradingDay, "20261125"), /does not hold the day asked for/],
    ["closes every day", page(() => false), /closes the exchange for 8 weekdays in a row until 20261203/],
    ["opens every day", page(() => true), /opens the exchange on a weekend, 20261128/],
    ["is turned round", page((date) => !isTradingDay(date)), /opens the exchange on a weekend/],
    [
      "closes every other day",
      page((date) => isTradingDay(date) && Number(date) % 2 === 0),
      /contradicts the table on \d+ days/
    ]
  ])("is refused when it %s", (_, said, words) => {
    assert.match(whyAbsurd(said, first) ?? "", words)
  })
})
