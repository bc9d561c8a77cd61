import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { MinuteBar } from "../../../src/simulator/market/MarketView.ts"
import { minuteChart } from "../../../src/simulator/quotation/minuteChart.ts"
import { emptySeries, minuteSeries } from "../../../src/simulator/quotation/minuteSeries.ts"
import { ask, type Row, row, rows } from "./ask.ts"
import { captured } from "./captured.ts"
import { issueOf, stagedMarket } from "./stagedMarket.ts"

const reply = captured("cap_inquire_time_itemchartprice_005930_20260527.json").body
const capturedRows = reply["output2"] as ReadonlyArray<Row>

const barOf = (line: Row, hour = line["stck_cntg_hour"] ?? ""): MinuteBar => ({
  hour,
  open: Number(line["stck_oprc"]),
  high: Number(line["stck_hgpr"]),
  low: Number(line["stck_lwpr"]),
  close: Number(line["stck_prpr"]),
  volume: Number(line["cntg_vol"]),
  cumValue: Number(line["acml_tr_pbmn"])
})

/** The market that the captured reply tells of: 15:01 to 15:07 as they were, and the running 15:08. */
const capturedBars = [
  ...capturedRows
    .filter((line) => line["cntg_vol"] !== "0" && line["stck_cntg_hour"] !== "153000")
    .map((line) => barOf(line))
    .reverse(),
  barOf(capturedRows[0] ?? {}, "150800")
]

const bar = (hour: string, close: number, volume: number): MinuteBar => ({
  hour,
  open: close - 1,
  high: close + 1,
  low: close - 2,
  close,
  volume,
  cumValue: close * 10
})

describe("the minute chart", () => {
  it.effect("repeats the captured reply: a future hour stamps the running minute, and flat minutes lie between", () =>
    Effect.gen(function* () {
      const samsung = issueOf({}, { price: 307_000, volume: 30_186_066, value: 9_578_031_936_250 })
      const market = stagedMarket([samsung], { minutes: () => capturedBars })
      const answer = yield* ask(
        minuteChart,
        market,
        "FID_ETC_CLS_CODE=&FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930&FID_INPUT_HOUR_1=153000&FID_PW_DATA_INCU_YN=Y"
      )
      assert.deepStrictEqual(rows(answer, "output2"), capturedRows)
      assert.deepStrictEqual(row(answer, "output1"), reply["output1"] as Row)
    })
  )

  it("shows the minute before until the running one has its first trade", () => {
    const [newest, next] = minuteSeries([bar("150600", 10, 5), bar("150700", 20, 7)], "150800", "150822")
    assert.deepStrictEqual(newest, { ...bar("150700", 20, 7), hour: "150800" })
    assert.deepStrictEqual(next, bar("150700", 20, 7))
  })

  it("fills a past minute without a trade with the close before it", () => {
    const series = minuteSeries([bar("090000", 10, 5), bar("090300", 20, 7)], "090300", "150822")
    assert.deepStrictEqual(
      series.map(({ close, hour, volume }) => [hour, close, volume]),
      [
        ["090300", 20, 7],
        ["090200", 10, 0],
        ["090100", 10, 0],
        ["090000", 10, 5]
      ]
    )
  })

  it("never has more than thirty rows, and none before the first trade of the day", () => {
    const bars = Array.from({ length: 200 }, (_, at) =>
      bar(`${String(9 + Math.floor(at / 60)).padStart(2, "0")}${String(at % 60).padStart(2, "0")}00`, 100 + at, 1)
    )
    assert.strictEqual(minuteSeries(bars, "113000", "150822").length, 30)
    assert.strictEqual(minuteSeries(bars, "090300", "150822").length, 4)
    assert.deepStrictEqual(minuteSeries(bars, "085900", "150822"), [])
    assert.deepStrictEqual(minuteSeries([], "150800", "150822"), [])
  })

  it.effect("answers thirty rows of zeros, and no error, for UN of an issue that Nextrade does not list", () =>
    Effect.gen(function* () {
      const krxOnly = issueOf({ nxt: false }, { price: 300_000, volume: 12 })
      const market = stagedMarket([krxOnly], { minutes: () => [bar("150700", 300_000, 12)] })
      const query = "FID_INPUT_ISCD=005930&FID_INPUT_HOUR_1=150800"
      const both = yield* ask(minuteChart, market, `FID_COND_MRKT_DIV_CODE=UN&${query}`)
      assert.strictEqual(row(both, "output1")["acml_vol"], "12")
      const zeros = rows(both, "output2")
      assert.strictEqual(zeros.length, 30)
      for (const line of zeros) {
        const { stck_bsop_date, stck_cntg_hour, ...values } = line
        assert.deepStrictEqual(new Set(Object.values(values)), new Set(["0"]))
        assert.strictEqual(stck_bsop_date, "20260527")
        assert.match(stck_cntg_hour ?? "", /^\d{6}$/)
      }
      const krx = yield* ask(minuteChart, market, `FID_COND_MRKT_DIV_CODE=J&${query}`)
      assert.strictEqual(rows(krx, "output2")[1]?.["cntg_vol"], "12")
    })
  )

  it("labels the empty minutes backwards from the asked one", () => {
    const hours = emptySeries("090100").map(({ hour }) => hour)
    assert.deepStrictEqual(hours.slice(0, 3), ["090100", "090000", "085900"])
  })

  it.effect("refuses an hour that is none, and a call without one", () =>
    Effect.gen(function* () {
      const market = stagedMarket([issueOf()])
      const query = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
      for (const hour of ["", "FID_INPUT_HOUR_1=2500", "FID_INPUT_HOUR_1=256000"]) {
        const refused = yield* Effect.flip(ask(minuteChart, market, `${query}&${hour}`))
        assert.strictEqual(refused.code, "OPSQ2001")
      }
    })
  )
})
