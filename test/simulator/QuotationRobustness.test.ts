import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { limitRules } from "../../src/simulator/limits/LimitRules.ts"
import { endpoints } from "../../src/simulator/quotation/endpoints.ts"
import { call } from "./client.ts"
import { restClient } from "./quotation/restClient.ts"

const known = [...endpoints.values()]
const fieldNames = [
  "FID_COND_MRKT_DIV_CODE",
  "FID_INPUT_ISCD",
  "fid_input_iscd",
  "FID_INPUT_HOUR_1",
  "FID_INPUT_DATE_1",
  "FID_INPUT_DATE_2",
  "FID_PERIOD_DIV_CODE",
  "FID_ORG_ADJ_PRC",
  "FID_COND_MRKT_DIV_CODE_1",
  "FID_INPUT_ISCD_1",
  "FID_INPUT_ISCD_29",
  "FID_BLNG_CLS_CODE",
  "FID_TRGT_EXLS_CLS_CODE",
  "FID_INPUT_PRICE_1",
  "BASS_DT",
  "CTX_AREA_NK",
  "PDNO",
  "PRDT_TYPE_CD",
  "__proto__"
]
const plausible = [
  "J",
  "NX",
  "UN",
  "U",
  "005930",
  "0001",
  "20260601",
  "99991231",
  "00000000",
  "235959",
  "090000",
  "D",
  "Y",
  "0",
  "1",
  "300",
  "constructor",
  ""
]

const Request = Schema.Struct({
  path: Schema.Union([
    Schema.Literals(known.map((endpoint) => endpoint.path)),
    Schema.Literals([
      "/",
      "/uapi",
      "/common/master/",
      "/common/master/..%2f..%2fpackage.json",
      "/oauth2/tokenP",
      "/oauth2/revokeP"
    ])
  ]),
  fields: Schema.Array(
    Schema.Struct({
      name: Schema.Literals(fieldNames),
      value: Schema.Union([Schema.Literals(plausible), Schema.String])
    })
  ).check(Schema.isMaxLength(12)),
  method: Schema.Literals(["GET", "GET", "POST", "PUT", "OPTIONS"]),
  trId: Schema.Union([Schema.Literals(known.map(({ trId }) => trId)), Schema.String]),
  isTrRight: Schema.Boolean,
  trCont: Schema.Union([Schema.Literals(["N", "", "F"]), Schema.String]),
  custtype: Schema.String,
  body: Schema.String
})

/** A header takes visible ASCII only; the client would refuse the rest before it left. */
const headerOf = (text: string) => text.replace(/[^\x21-\x7e]/g, "").slice(0, 60)

const queryOf = (fields: (typeof Request.Type)["fields"]) =>
  new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value.toWellFormed()])).toString()

layer(Exchange.layer({ callsPerSecond: 0, limits: { ...limitRules, ledgerCallsPerSecond: 0 } }), { timeout: 60_000 })(
  "whatever is asked",
  (it) => {
    let ask: Effect.Success<ReturnType<typeof restClient>> | undefined
    it.effect.prop(
      "is answered with a clear error or a good reply, and the exchange goes on",
      [Request],
      ([{ body, custtype, fields, isTrRight, method, path, trCont, trId }]) =>
        Effect.gen(function* () {
          const { restUrl } = yield* Exchange
          ask ??= yield* restClient("PSROBUST")
          const query = queryOf(fields)
          const rightTr = isTrRight ? endpoints.get(path)?.trId : undefined
          const answer =
            method === "GET" && path.startsWith("/uapi")
              ? yield* ask(path, rightTr ?? headerOf(trId), query, {
                  tr_cont: headerOf(trCont),
                  custtype: headerOf(custtype)
                })
              : yield* call(`${restUrl}${path}?${query}`, {
                  method,
                  headers: { appkey: "PSROBUST", tr_id: headerOf(trId) },
                  ...(method !== "GET" && { body: body.toWellFormed() })
                })
          const said = JSON.stringify(answer.body)
          // EGW00002 is what a crash of an answer looks like.
          assert.notInclude(said, "EGW00002", said)
          if (answer.body["rt_cd"] === "0") assert.strictEqual(answer.status, 200)
          else {
            assert.isString(answer.body["msg_cd"] ?? answer.body["error_code"] ?? answer.body["error"], said)
            assert.include([200, 400, 403, 404, 405, 500], answer.status)
          }
          const good = yield* ask(
            "/uapi/domestic-stock/v1/quotations/inquire-price",
            "FHKST01010100",
            "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
          )
          assert.strictEqual(good.body["rt_cd"], "0")
        }),
      { arbitrary: { runs: 300 } }
    )
  }
)
