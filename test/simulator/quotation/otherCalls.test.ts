import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import type { IndexLevel } from "../../../src/simulator/market/Indices.ts"
import { etfPrice } from "../../../src/simulator/quotation/etfPrice.ts"
import { indexPrice } from "../../../src/simulator/quotation/indexPrice.ts"
import { inquirePrice2 } from "../../../src/simulator/quotation/inquirePrice2.ts"
import { marketTime } from "../../../src/simulator/quotation/marketTime.ts"
import { stockInfo } from "../../../src/simulator/quotation/stockInfo.ts"
import { volumeRank } from "../../../src/simulator/quotation/volumeRank.ts"
import { ask, type Row, row, rows } from "./ask.ts"
import { issueOf, stagedMarket } from "./stagedMarket.ts"

const query = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"

describe("market-time", () => {
  const at = (date: string, hour: string) =>
    Effect.map(
      ask(marketTime, stagedMarket([], { nowMs: () => marketInstant(date, hour) ?? Number.NaN }), ""),
      (answer) => row(answer, "output1")
    )

  it.effect("names the business days around today, over holidays and weekends", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* at("20260923", "083523"), {
        date1: "20260921",
        date2: "20260922",
        date3: "20260923",
        date4: "20260928",
        date5: "20260929",
        today: "20260923",
        time: "083523",
        s_time: "084500",
        e_time: "154500"
      })
    })
  )

  it.effect("begins an hour later on the day of the entrance exam", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* at("20261119", "100000"), { s_time: "094500", e_time: "164500" })
    })
  )
})

describe("inquire-price-2", () => {
  it.effect("compares with the previous close, and with nothing before the first trade", () =>
    Effect.gen(function* () {
      const traded = issueOf({}, { price: 307_000, open: 321_500, high: 323_000, low: 306_000 })
      assert.deepInclude(row(yield* ask(inquirePrice2, stagedMarket([traded]), query), "output"), {
        prdy_clpr_vrss_oprc_rate: "7.53",
        oprc_vrss_prpr: "-14500",
        oprc_vrss_prpr_sign: "5",
        hgpr_vrss_prpr: "-16000",
        lwpr_vrss_prpr: "1000",
        lwpr_vrss_prpr_sign: "2"
      })
      assert.deepInclude(row(yield* ask(inquirePrice2, stagedMarket([issueOf()]), query), "output"), {
        stck_oprc: "0",
        prdy_clpr_vrss_oprc_rate: "0.00",
        oprc_vrss_prpr: "0",
        oprc_vrss_prpr_sign: "3"
      })
    })
  )
})

describe("inquire-index-price", () => {
  const kosdaq: IndexLevel = {
    code: "1001",
    name: "KOSDAQ",
    level: 857.6,
    previous: 859.21,
    open: 863.69,
    high: 864.24,
    low: 854.72,
    volume: 1_312_496,
    value: 11_507_962
  }

  it.effect("repeats the arithmetic of the portal's reply, its units in thousands and millions", () =>
    Effect.gen(function* () {
      const market = stagedMarket(
        [issueOf({ market: "KOSDAQ", kind: "common" }, { totalAskSize: 30, totalBidSize: 50 })],
        {
          index: (code) => (code === "1001" ? kosdaq : undefined),
          indices: () => [kosdaq],
          breadth: () => ({ atUpper: 5, rising: 828, unchanged: 94, falling: 716, atLower: 1 })
        }
      )
      const index = "FID_COND_MRKT_DIV_CODE=U&FID_INPUT_ISCD="
      assert.deepInclude(row(yield* ask(indexPrice, market, `${index}1001`), "output"), {
        bstp_nmix_prpr: "857.60",
        bstp_nmix_prdy_vrss: "-1.61",
        prdy_vrss_sign: "5",
        bstp_nmix_prdy_ctrt: "-0.19",
        acml_vol: "1312496",
        acml_tr_pbmn: "11507962",
        prdy_vol: "23441",
        prdy_nmix_vrss_nmix_oprc: "4.48",
        oprc_vrss_prpr_sign: "2",
        bstp_nmix_oprc_prdy_ctrt: "0.52",
        prdy_nmix_vrss_nmix_hgpr: "5.03",
        prdy_clpr_vrss_lwpr: "-4.49",
        lwpr_vrss_prpr_sign: "5",
        prdy_clpr_vrss_lwpr_rate: "-0.52",
        ascn_issu_cnt: "828",
        lslm_issu_cnt: "1",
        seln_rsqn_rate: "37.50",
        shnu_rsqn_rate: "62.50",
        ntby_rsqn: "20"
      })
      assert.strictEqual(row(yield* ask(indexPrice, market, `${index}9999`), "output")["bstp_nmix_prpr"], "0.00")
      const refused = yield* Effect.flip(ask(indexPrice, market, query))
      assert.strictEqual(refused.message, "OPSQ2001: ERROR INVALID FID_COND_MRKT_DIV_CODE")
    })
  )
})

describe("the ETF price", () => {
  it.effect("has a premium that agrees with price and value, whatever the case of the keys", () =>
    Effect.gen(function* () {
      const fund = issueOf({ code: "069500", kind: "etf", name: "KODEX 200", basePrice: 35_980 }, { price: 36_090 })
      const answer = yield* ask(etfPrice, stagedMarket([fund]), "fid_cond_mrkt_div_code=J&fid_input_iscd=069500")
      const { dprt, nav, prdy_last_nav, nav_prdy_vrss, stck_prpr } = row(answer, "output")
      assert.closeTo((Number(stck_prpr) / Number(nav) - 1) * 100, Number(dprt), 0.011)
      assert.closeTo(Number(nav) - Number(prdy_last_nav), Number(nav_prdy_vrss), 0.011)
    })
  )
})

describe("search-stock-info", () => {
  it.effect("says what Nextrade lists, pads the number, and has nothing of an unknown product", () =>
    Effect.gen(function* () {
      const market = stagedMarket([issueOf(), issueOf({ code: "052960", nxt: false, flags: "A" }, { halted: true })])
      const of = (code: string) => ask(stockInfo, market, `PRDT_TYPE_CD=300&PDNO=${code}`)
      assert.deepInclude(row(yield* of("005930"), "output"), {
        pdno: "00000A005930",
        cptt_trad_tr_psbl_yn: "Y",
        nxt_tr_stop_yn: "N",
        tr_stop_yn: "N"
      })
      assert.deepInclude(row(yield* of("052960"), "output"), {
        cptt_trad_tr_psbl_yn: "N",
        tr_stop_yn: "Y",
        admn_item_yn: "Y"
      })
      const unknown = yield* of("999999")
      assert.deepStrictEqual([unknown.blocks["output"], unknown.message?.code], [{}, "KIOK0560"])
      const refused = yield* Effect.flip(ask(stockInfo, market, "PRDT_TYPE_CD=512&PDNO=AAPL"))
      assert.strictEqual(refused.code, "OPSQ2001")
    })
  )
})

describe("volume-rank", () => {
  const many = Array.from({ length: 50 }, (_, at) =>
    issueOf(
      {
        code: String(100_000 + at),
        kind: at % 10 === 0 ? "pref" : "common",
        market: at % 2 === 0 ? "KOSPI" : "KOSDAQ",
        flags: at === 49 ? "A" : "",
        previousVolume: 1_000,
        nxt: false
      },
      { price: 1_000 + at, volume: at, value: 100_000 - at }
    )
  )
  const market = stagedMarket(many)
  const list = (given: string) =>
    Effect.map(ask(volumeRank, market, `FID_COND_MRKT_DIV_CODE=J&${given}`), (answer) =>
      rows(answer, "output").map((line: Row) => Number(line["mksc_shrn_iscd"]) - 100_000)
    )

  it.effect("ranks the thirty largest by what was asked for", () =>
    Effect.gen(function* () {
      const byVolume = yield* list("FID_BLNG_CLS_CODE=0")
      assert.deepStrictEqual(
        byVolume,
        Array.from({ length: 30 }, (_, at) => 49 - at)
      )
      const byValue = yield* list("FID_BLNG_CLS_CODE=3")
      assert.deepStrictEqual(byValue.slice(0, 3), [1, 2, 3])
    })
  )

  it.effect("filters by board, kind, price, volume and the exclusion digits", () =>
    Effect.gen(function* () {
      assert.isTrue((yield* list("FID_INPUT_ISCD=1001")).every((at) => at % 2 === 1))
      assert.deepStrictEqual(yield* list("FID_DIV_CLS_CODE=2"), [40, 30, 20, 10])
      assert.deepStrictEqual(yield* list("FID_INPUT_PRICE_1=1003&FID_INPUT_PRICE_2=1005"), [5, 4, 3])
      assert.deepStrictEqual(yield* list("FID_VOL_CNT=48"), [49, 48])
      assert.notInclude(yield* list("FID_TRGT_EXLS_CLS_CODE=0100000000"), 49)
      assert.notInclude(yield* list("FID_TRGT_EXLS_CLS_CODE=0000100000"), 40)
    })
  )
})
