import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { askingPrice } from "../../../src/simulator/quotation/askingPrice.ts"
import { multiPrice } from "../../../src/simulator/quotation/multiPrice.ts"
import { ask, row, rows } from "./ask.ts"
import { captured } from "./captured.ts"
import { issueOf, stagedMarket } from "./stagedMarket.ts"

const query = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
const samsung = issueOf({}, { price: 307_000, open: 321_500, high: 323_000, low: 306_000 })

describe("the expected values", () => {
  it.effect("of the asking-price call keep the opening auction during continuous trading, as captured", () =>
    Effect.gen(function* () {
      const market = stagedMarket([samsung], { lastMatch: () => ({ price: 321_500, volume: 932_843, hourClass: "B" }) })
      const answer = yield* ask(askingPrice, market, query)
      const likeThis = captured("cap_inquire_asking_price_exp_ccn_005930_20260527.json").body["output2"]
      assert.deepStrictEqual(row(answer, "output2"), likeThis as typeof answer.blocks)
    })
  )

  it.effect("are the auction's own while it lasts, and nothing before the first of the day", () =>
    Effect.gen(function* () {
      const auction = stagedMarket([samsung], {
        phase: () => "openingAuction",
        expected: () => ({ price: 310_000, volume: 77, hourClass: "B" }),
        lastMatch: () => ({ price: 321_500, volume: 932_843, hourClass: "B" })
      })
      assert.deepInclude(row(yield* ask(askingPrice, auction, query), "output2"), {
        antc_mkop_cls_code: "110",
        antc_cnpr: "310000",
        antc_vol: "77",
        antc_cntg_vrss: "11000",
        antc_cntg_vrss_sign: "2"
      })
      const early = stagedMarket([samsung], { phase: () => "preOpen" })
      assert.deepInclude(row(yield* ask(askingPrice, early, query), "output2"), {
        antc_cnpr: "0",
        antc_vol: "0",
        antc_cntg_vrss: "0",
        antc_cntg_vrss_sign: "3",
        antc_cntg_prdy_ctrt: "0.00"
      })
    })
  )

  it.effect("ride in the multi-price rows of an auction, whose class is B before the open and A before the close", () =>
    Effect.gen(function* () {
      const pairs = "FID_COND_MRKT_DIV_CODE_1=J&FID_INPUT_ISCD_1=005930"
      const expected = () => ({ price: 298_000, volume: 62_862, hourClass: "B" as const })
      const opening = stagedMarket([samsung], { phase: () => "openingAuction", expected })
      const [first] = rows(yield* ask(multiPrice, opening, pairs), "output")
      assert.deepInclude(first, {
        hour_cls_code: "B",
        intr_antc_vol: "62862",
        intr_antc_cntg_vrss: "-1000",
        intr_antc_cntg_vrss_sign: "5",
        intr_antc_cntg_prdy_ctrt: "-0.33"
      })
      const closing = stagedMarket([samsung], { phase: () => "closingAuction", expected })
      assert.strictEqual(rows(yield* ask(multiPrice, closing, pairs), "output")[0]?.["hour_cls_code"], "A")
      const trading = yield* ask(multiPrice, stagedMarket([samsung]), pairs)
      assert.deepInclude(rows(trading, "output")[0], { hour_cls_code: "0", intr_antc_vol: "0" })
    })
  )

  it.effect("show an interruption with C and vi_cls_code Y", () =>
    Effect.gen(function* () {
      const interrupted = stagedMarket([samsung], {
        interruption: () => ({
          code: "005930",
          kind: "static",
          startHour: "150800",
          endHour: undefined,
          referencePrice: 300_000,
          triggerPrice: 330_000
        })
      })
      const pairs = "FID_COND_MRKT_DIV_CODE_1=J&FID_INPUT_ISCD_1=005930"
      assert.strictEqual(rows(yield* ask(multiPrice, interrupted, pairs), "output")[0]?.["hour_cls_code"], "C")
      assert.strictEqual(row(yield* ask(askingPrice, interrupted, query), "output2")["vi_cls_code"], "Y")
    })
  )
})

describe("the ladder", () => {
  it.effect("has ten levels whose changes add up to those of the totals, zeros where nobody stands", () =>
    Effect.gen(function* () {
      const market = stagedMarket([samsung], {
        book: () => ({
          asks: [{ price: 307_500, size: 10 }],
          bids: [
            { price: 307_000, size: 20 },
            { price: 306_500, size: 30 }
          ],
          totalAskSize: 10,
          totalBidSize: 50,
          totalAskChange: -3,
          totalBidChange: 11,
          midpoint: { price: 0, size: 0, side: "0" }
        })
      })
      const ladder = row(yield* ask(askingPrice, market, query), "output1")
      assert.deepInclude(ladder, { askp1: "307500", askp2: "0", bidp2: "306500", bidp_rsqn2: "30", askp_rsqn10: "0" })
      assert.deepInclude(ladder, { total_bidp_rsqn: "50", ntby_aspr_rsqn: "40", aspr_acpt_hour: "150822" })
      const sum = (name: string) =>
        Array.from({ length: 10 }, (_, at) => Number(ladder[`${name}${at + 1}`])).reduce((a, b) => a + b)
      assert.deepStrictEqual([sum("askp_rsqn_icdc"), sum("bidp_rsqn_icdc")], [-3, 11])
    })
  )
})
