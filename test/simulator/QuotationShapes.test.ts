import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync } from "node:fs"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { limitRules } from "../../src/simulator/limits/LimitRules.ts"
import { call } from "./client.ts"
import { sample } from "./fixtures.ts"
import { captured } from "./quotation/captured.ts"
import { restClient } from "./quotation/restClient.ts"
import { differences } from "./quotation/shape.ts"

const stock = (code: string) => `FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=${code}`
const pairs = ["J/005930", "J/000660", "U/0001"]
  .map((pair, at) => `FID_COND_MRKT_DIV_CODE_${at + 1}=${pair.replace("/", `&FID_INPUT_ISCD_${at + 1}=`)}`)
  .join("&")
const viQuery = (code: string) =>
  `FID_COND_SCR_DIV_CODE=20139&FID_DIV_CLS_CODE=0&FID_MRKT_CLS_CODE=0&FID_INPUT_ISCD=${code}&FID_RANK_SORT_CLS_CODE=0&FID_INPUT_DATE_1=`

/** How each sample is asked for, so that a like reply comes back. */
const queries: Readonly<Record<string, string>> = {
  "cap_chk_holiday_20260601.json": "BASS_DT=20260601&CTX_AREA_NK=&CTX_AREA_FK=",
  "cap_inquire_asking_price_exp_ccn_005930_20260527.json": stock("005930"),
  "cap_inquire_ccnl_005930_20260527.json": stock("005930"),
  "cap_inquire_price_228670_2023.json": stock("228670"),
  "cap_inquire_time_itemchartprice_005930_20260527.json": `${stock("005930")}&FID_INPUT_HOUR_1=153000&FID_PW_DATA_INCU_YN=N&FID_ETC_CLS_CODE=`,
  "cap_inquire_time_itemconclusion_005930_20260527.json": `${stock("005930")}&FID_INPUT_HOUR_1=235959`,
  "cap_inquire_vi_status_004310_20260716.json": viQuery("035720"),
  "portal_chk_holiday.json": "BASS_DT=20260601&CTX_AREA_NK=&CTX_AREA_FK=",
  "portal_etfetn_inquire_price.json": "fid_cond_mrkt_div_code=J&fid_input_iscd=069500",
  "portal_inquire_asking_price_exp_ccn.json": stock("000660"),
  "portal_inquire_ccnl.json": stock("000660"),
  "portal_inquire_index_price.json": "FID_COND_MRKT_DIV_CODE=U&FID_INPUT_ISCD=1001",
  "portal_inquire_price.json": stock("000660"),
  "portal_inquire_price_2.json": stock("005930"),
  "portal_inquire_vi_status.json": viQuery(""),
  "portal_intstock_multprice.json": pairs,
  "portal_market_time.json": "",
  "portal_search_stock_info.json": "PRDT_TYPE_CD=300&PDNO=000660",
  "portal_volume_rank.json":
    "FID_COND_MRKT_DIV_CODE=J&FID_COND_SCR_DIV_CODE=20171&FID_INPUT_ISCD=0000&FID_BLNG_CLS_CODE=0"
}

/** Samples that no reply of ours is compared with here, and why. */
const notCompared: Readonly<Record<string, string>> = {
  "cap_intstock_multprice_reduced_202608.json": "its author kept four fields; see the test of its one partial row",
  "cap_token_20260527.json": "the token desk; see TokenDesk.test.ts",
  "errors.json": "refusals; see QuotationApi.test.ts and TokenDesk.test.ts",
  "portal_capture_uplowprice.json": "not a call of this simulator",
  "portal_fluctuation.json": "not a call of this simulator",
  "portal_inquire_index_category_price.json": "not a call of this simulator",
  "portal_search_info.json": "not a call of this simulator"
}

/** Where a sample has another shape than what we send, and why. */
const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "cap_inquire_vi_status_004310_20260716.json": {
    ": another order of keys": "its author put rt_cd first and left the message out"
  }
}

const envelope = [".rt_cd", ".msg_cd", ".msg1"]
const cut = new Set([
  "portal_chk_holiday.json",
  "portal_inquire_vi_status.json",
  "portal_intstock_multprice.json",
  "portal_volume_rank.json"
])

/** Fields that are in today's lists and not in the older samples. */
const later: Readonly<Record<string, ReadonlyArray<string>>> = {
  "cap_inquire_price_228670_2023.json": ["new_hgpr_lwpr_cls_code", "apprch_rate", "mang_issu_cls_code"],
  "cap_inquire_vi_status_004310_20260716.json": [],
  "portal_etfetn_inquire_price.json": ["nmix_ctrt"],
  "portal_inquire_price.json": ["new_hgpr_lwpr_cls_code", "apprch_rate", "mang_issu_cls_code"],
  "portal_inquire_price_2.json": [
    "new_hgpr_lwpr_cls_code",
    "mxpr_llam_cls_code",
    "flng_cls_name",
    "revl_issu_reas_name",
    "mrkt_warn_cls_name",
    "fcam_mod_cls_name"
  ],
  "portal_search_stock_info.json": [
    "issu_istt_cd",
    "etf_chas_erng_rt_dbnb",
    "etf_etn_ivst_heed_item_yn",
    "stln_int_rt_dvsn_cd",
    "frnr_psnl_lmt_rt",
    "lstg_rqsr_issu_istt_cd",
    "lstg_rqsr_item_cd",
    "trst_istt_issu_istt_cd",
    "cptt_trad_tr_psbl_yn",
    "nxt_tr_stop_yn"
  ]
}

const extraOf = (file: string): ReadonlyArray<string> => [
  ...(later[file] ?? []).map((key) => `.output.${key}`),
  ...(cut.has(file) ? envelope : []),
  ...(file === "cap_inquire_vi_status_004310_20260716.json" ? [".msg_cd", ".msg1"] : [])
]

/** Where a field list names a field otherwise than the wire does. */
const onTheWire: Readonly<Record<string, string>> = {
  // The table says stck_pbpr, the captured reply stck_prpr.
  "FHPST01060000 stck_pbpr": "stck_prpr",
  "FHKST03010100 itewhol_loan_rmnd_ratem": "itewhol_loan_rmnd_ratem name"
}

const dailyPath = "/uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice"
const dailyQuery = `${stock("005930")}&FID_INPUT_DATE_1=19000101&FID_INPUT_DATE_2=20991231&FID_PERIOD_DIV_CODE=D&FID_ORG_ADJ_PRC=0`

type Fields = Readonly<Record<string, Readonly<Record<string, ReadonlyArray<string>>>>>
const fields = JSON.parse(sample("restFields.json")) as Fields

const firstRow = (block: unknown) => (Array.isArray(block) ? block[0] : block) as Readonly<Record<string, unknown>>

layer(Exchange.layer({ callsPerSecond: 0, limits: { ...limitRules, ledgerCallsPerSecond: 0 } }), { timeout: 30_000 })(
  "every reply",
  (it) => {
    it.effect("that was captured has the keys, nesting and kinds of values that the simulator sends", () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("3 minutes")
        const { restUrl } = yield* Exchange
        const forced = yield* call(`${restUrl}/simulator/market/vi`, {
          method: "POST",
          body: JSON.stringify({ symbol: "035720", kind: "static" })
        })
        assert.strictEqual(forced.status, 200)
        const ask = yield* restClient("PSSHAPES")
        const files = readdirSync(new URL("../fixtures/kis/rest", import.meta.url))
        assert.sameMembers([...Object.keys(queries), ...Object.keys(notCompared)], files)
        for (const [file, query] of Object.entries(queries)) {
          const { body: theirs, path, tr_id } = captured(file)
          const { body, headers, status } = yield* ask(path, tr_id, query)
          const { extra, found } = differences(theirs, body)
          assert.sameMembers([...found], Object.keys(exceptions[file] ?? {}), file)
          assert.sameMembers([...extra], [...extraOf(file)], file)
          assert.strictEqual(status, 200)
          assert.strictEqual(headers.get("tr_id"), tr_id)
          assert.isNotEmpty(headers.get("gt_uid"))
        }
      })
    )

    it.effect("has every field of the broker's lists, and every value is text", () =>
      Effect.gen(function* () {
        const ask = yield* restClient("PSFIELDS")
        const asked = new Map(
          Object.entries(queries).map(([file, query]) => {
            const { path, tr_id } = captured(file)
            return [tr_id, { path, query }] as const
          })
        ).set("FHKST03010100", { path: dailyPath, query: dailyQuery })
        assert.sameMembers([...asked.keys()], Object.keys(fields))
        for (const [trId, { path, query }] of asked) {
          const { body } = yield* ask(path, trId, query)
          for (const [block, names] of Object.entries(fields[trId] ?? {})) {
            const row = block === "envelope" ? body : firstRow(body[block])
            for (const name of names) {
              assert.isString(row[onTheWire[`${trId} ${name}`] ?? name], `${trId} ${block}.${name}`)
            }
          }
        }
      })
    )

    it.effect("of the multi-price call agrees with the one partial row that was captured", () =>
      Effect.gen(function* () {
        const ask = yield* restClient("PSPARTIAL")
        const reduced = captured("cap_intstock_multprice_reduced_202608.json")
        const { partial_row_20260814 } = JSON.parse(
          sample("rest/cap_intstock_multprice_reduced_202608.json")
        ) as Record<string, object>
        const { body } = yield* ask(reduced.path, reduced.tr_id, pairs)
        // Its author kept some fields, in an order of his own.
        assert.deepStrictEqual(differences(partial_row_20260814, firstRow(body["output"])).found, [
          ": another order of keys"
        ])
      })
    )
  }
)
