import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { marketDate, marketMidnight } from "../../../src/calendar/MarketTime.ts"
import type { DayBar } from "../../../src/simulator/market/MarketView.ts"
import { dailyChart } from "../../../src/simulator/quotation/dailyChart.ts"
import { ask, type Row, row, rows } from "./ask.ts"
import { issueOf, stagedMarket } from "./stagedMarket.ts"

/** Every calendar day before 2026-05-27, closes rising by one a day. */
const past = (count: number): ReadonlyArray<DayBar> =>
  Array.from({ length: count }, (_, back) => ({
    date: marketDate(marketMidnight("20260526") - back * 86_400_000),
    open: 1_000 - back,
    high: 1_010 - back,
    low: 990 - back,
    close: 1_001 - back,
    volume: 10,
    value: 10_000,
    previousClose: 1_000 - back
  }))
const samsung = issueOf({}, { price: 307_000, open: 321_500, high: 323_000, low: 306_000, volume: 5, value: 1_535_000 })
const market = stagedMarket([samsung], { days: (_issue, count) => past(Math.min(count, 3_000)) })
const query = (from: string, to: string, period = "D") =>
  `FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930&FID_INPUT_DATE_1=${from}&FID_INPUT_DATE_2=${to}&FID_PERIOD_DIV_CODE=${period}&FID_ORG_ADJ_PRC=0`
const dates = (list: ReadonlyArray<Row>) => list.map((line) => line["stck_bsop_date"])

describe("the daily chart", () => {
  it.effect("begins with today, newest first, and ends at a hundred rows or the asked date", () =>
    Effect.gen(function* () {
      const all = rows(yield* ask(dailyChart, market, query("20250101", "20260527")), "output2")
      assert.strictEqual(all.length, 100)
      assert.deepInclude(all[0], {
        stck_bsop_date: "20260527",
        stck_clpr: "307000",
        prdy_vrss: "8000",
        prdy_vrss_sign: "2"
      })
      const few = rows(yield* ask(dailyChart, market, query("20260520", "20260522")), "output2")
      assert.deepStrictEqual(dates(few), ["20260522", "20260521", "20260520"])
      assert.deepStrictEqual(rows(yield* ask(dailyChart, market, query("20270101", "20270201")), "output2"), [])
    })
  )

  it.effect("draws days together into weeks, months and years that bear their last day", () =>
    Effect.gen(function* () {
      const list = (period: string, from: string) =>
        Effect.map(ask(dailyChart, market, query(from, "20260526", period)), (answer) => rows(answer, "output2"))
      const weeks = yield* list("W", "20260501")
      assert.deepStrictEqual(dates(weeks).slice(0, 2), ["20260524", "20260517"])
      assert.deepInclude(weeks[0], {
        acml_vol: "70",
        stck_clpr: "999",
        stck_oprc: "992",
        stck_hgpr: "1008",
        stck_lwpr: "982"
      })
      const months = yield* list("M", "20260101")
      assert.deepStrictEqual(dates(months), ["20260430", "20260331", "20260228", "20260131"])
      assert.deepStrictEqual(dates(yield* list("Y", "20240101")), ["20251231", "20241231"])
    })
  )

  it.effect("has the stray key of the wire, or the one of the table when told so, and refuses a wrong period", () =>
    Effect.gen(function* () {
      const asked = query("20260520", "20260522")
      const head = row(yield* ask(dailyChart, market, asked), "output1")
      assert.strictEqual(head["itewhol_loan_rmnd_ratem name"], "0.00")
      assert.deepInclude(head, { stck_prdy_oprc: "1000", prdy_vrss_vol: "-23441367" })
      const table = row(yield* ask(dailyChart, market, asked, { isLoanKeyStray: false }), "output1")
      assert.strictEqual(table["itewhol_loan_rmnd_ratem"], "0.00")
      const refused = yield* Effect.flip(ask(dailyChart, market, query("20260520", "20260522", "H")))
      assert.include(refused.text, "FID_PERIOD_DIV_CODE")
    })
  )
})
