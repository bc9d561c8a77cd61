import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Interruption } from "../../../src/simulator/market/MarketView.ts"
import { viStatus } from "../../../src/simulator/quotation/viStatus.ts"
import { ask, type Row, row, rows } from "./ask.ts"
import { captured } from "./captured.ts"
import { issueOf, stagedMarket } from "./stagedMarket.ts"

const hyundai = issueOf({ code: "004310", name: "현대약품" })
const lumens = issueOf({ code: "038060", name: "루멘스", market: "KOSDAQ" })
const event = (given: Partial<Interruption>): Interruption => ({
  code: "004310",
  kind: "static",
  startHour: "091333",
  endHour: "091550",
  referencePrice: 7_000,
  triggerPrice: 7_700,
  ...given
})
const market = stagedMarket([hyundai, lumens], {
  date: () => "20260716",
  interruptions: () => [
    event({ startHour: "103000", endHour: undefined, kind: "dynamic", referencePrice: 8_000, triggerPrice: 7_500 }),
    event({
      code: "038060",
      startHour: "100000",
      endHour: "100203",
      referencePrice: 1_241,
      triggerPrice: 1_337,
      kind: "dynamic"
    }),
    event({})
  ]
})
const codesOf = (list: ReadonlyArray<Row>) => list.map((line) => `${line["mksc_shrn_iscd"]} ${line["cntg_vi_hour"]}`)

describe("inquire-vi-status", () => {
  it.effect("answers an object for one symbol, as captured, and the newest of its interruptions", () =>
    Effect.gen(function* () {
      const once = stagedMarket([hyundai], { date: () => "20260716", interruptions: () => [event({})] })
      const answer = yield* ask(viStatus, once, "FID_INPUT_ISCD=004310")
      assert.deepStrictEqual(
        row(answer, "output"),
        captured("cap_inquire_vi_status_004310_20260716.json").body["output"] as Row
      )
      const twice = yield* ask(viStatus, market, "FID_INPUT_ISCD=004310")
      assert.deepInclude(row(twice, "output"), {
        vi_cls_code: "Y",
        vi_count: "2",
        vi_kind_code: "2",
        vi_stnd_prc: "0",
        vi_dmc_stnd_prc: "8000",
        vi_dmc_dprt: "-6.25"
      })
    })
  )

  it.effect("lists those of the day, newest first, and filters by board, direction, kind and day", () =>
    Effect.gen(function* () {
      const list = (query: string) =>
        Effect.map(ask(viStatus, market, query), (answer) => codesOf(rows(answer, "output")))
      assert.deepStrictEqual(yield* list(""), ["004310 103000", "038060 100000", "004310 091333"])
      assert.deepStrictEqual(yield* list("FID_MRKT_CLS_CODE=Q"), ["038060 100000"])
      assert.deepStrictEqual(yield* list("FID_DIV_CLS_CODE=2"), ["004310 103000"])
      assert.deepStrictEqual(yield* list("FID_RANK_SORT_CLS_CODE=1"), ["004310 091333"])
      assert.deepStrictEqual(yield* list("FID_INPUT_DATE_1=20260715"), [])
      assert.deepStrictEqual(yield* list("FID_INPUT_ISCD=005930"), [])
    })
  )
})
