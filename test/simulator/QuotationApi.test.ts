import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { endpoints } from "../../src/simulator/quotation/endpoints.ts"
import { call, signIn } from "./client.ts"
import { konex, sample, universe } from "./fixtures.ts"
import { restClient } from "./quotation/restClient.ts"

type Row = Readonly<Record<string, string>>

const multiPrice = "FHKST11300006"
const price = "FHKST01010100"
const rowsOf = (body: Readonly<Record<string, unknown>>) => body["output"] as ReadonlyArray<Row>
const pairs = (codes: ReadonlyArray<string>, division = "J") =>
  codes.map((code, at) => `FID_COND_MRKT_DIV_CODE_${at + 1}=${division}&FID_INPUT_ISCD_${at + 1}=${code}`).join("&")
const commons = universe.filter(({ kind, previousVolume }) => kind === "common" && previousVolume > 0)
const codes = commons.map(({ code }) => code)

describe("intstock-multprice", () => {
  it.effect("answers one row a pair, in the captured keys and all values as text, indices riding along", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const captured = (JSON.parse(sample("intstock-multprice.json")) as { body: { output: ReadonlyArray<Row> } }).body
      const query =
        "FID_COND_MRKT_DIV_CODE_1=J&FID_INPUT_ISCD_1=005930&fid_cond_mrkt_div_code_2=J&fid_input_iscd_2=000660"
      const { body, headers, status } = yield* client.get(
        "intstock-multprice",
        multiPrice,
        `${query}&FID_COND_MRKT_DIV_CODE_3=U&FID_INPUT_ISCD_3=0001`
      )
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("content-type"), "application/json; charset=utf-8")
      assert.strictEqual(headers.get("tr_id"), multiPrice)
      assert.strictEqual(headers.get("tr_cont"), "")
      assert.isNotEmpty(headers.get("gt_uid"))
      assert.deepStrictEqual(Object.keys(body), ["output", "rt_cd", "msg_cd", "msg1"])
      assert.deepInclude(body, { rt_cd: "0", msg_cd: "MCA00000" })
      const [samsung, hynix, kospi] = rowsOf(body)
      const [likeStock, , likeIndex] = captured.output
      assert.deepStrictEqual(Object.keys(samsung ?? {}), Object.keys(likeStock ?? {}))
      assert.strictEqual(Object.keys(samsung ?? {}).length, 29)
      assert.deepStrictEqual(
        [samsung, hynix, kospi].map((row) => row?.["inter_shrn_iscd"]),
        ["005930", "000660", "0001"]
      )
      assert.deepInclude(samsung, { kospi_kosdaq_cls_name: "거래소", inter_kor_isnm: "삼성전자", hour_cls_code: "0" })
      for (const row of rowsOf(body)) for (const value of Object.values(row)) assert.isString(value)
      for (const [key, value] of Object.entries(likeIndex ?? {})) {
        if (value === "" || key.endsWith("_name") || key === "inter_kor_isnm") assert.strictEqual(kospi?.[key], value)
        else assert.match(kospi?.[key] ?? "", /^-?\d+(\.\d\d)?$/, key)
      }
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("drops what lies beyond thirty pairs and says nothing of it", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const { body } = yield* client.get("intstock-multprice", multiPrice, pairs(codes.slice(0, 40)))
      assert.strictEqual(body["rt_cd"], "0")
      assert.deepStrictEqual(
        rowsOf(body).map((row) => row["inter_shrn_iscd"]),
        codes.slice(0, 30)
      )
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("leaves out unknown codes, wrong divisions and what Nextrade does not list", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const onNxt = commons.find(({ nxt }) => nxt)?.code ?? ""
      const krxOnly = commons.find(({ nxt }) => !nxt)?.code ?? ""
      const ask = (query: string) =>
        Effect.map(client.get("intstock-multprice", multiPrice, query), ({ body }) =>
          rowsOf(body).map((row) => row["inter_shrn_iscd"])
        )
      assert.deepStrictEqual(yield* ask(pairs([onNxt, "999999", krxOnly])), [onNxt, krxOnly])
      assert.deepStrictEqual(yield* ask(pairs([onNxt, krxOnly], "NX")), [onNxt])
      assert.deepStrictEqual(yield* ask(pairs([onNxt, krxOnly], "Q")), [])
      assert.deepStrictEqual(yield* ask(pairs([onNxt], "U")), [])
      const nothing = yield* client.get("intstock-multprice", multiPrice, "")
      assert.deepInclude(nothing.body, { rt_cd: "2", msg_cd: "OPSQ2001" })
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("follows the market: volumes rise, halted issues stay still without a book", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const halted = universe.find(({ basePrice, flags }) => flags.includes("H") && basePrice !== undefined)?.code ?? ""
      const ask = Effect.map(client.get("intstock-multprice", multiPrice, pairs(["000660", halted])), ({ body }) =>
        rowsOf(body)
      )
      const [before] = yield* ask
      yield* TestClock.adjust("1 second")
      const [after, still] = yield* ask
      assert.isAbove(Number(after?.["acml_vol"]), Number(before?.["acml_vol"]))
      assert.deepInclude(still, { total_askp_rsqn: "0", total_bidp_rsqn: "0", acml_vol: "0", inter2_oprc: "0" })
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 20_000 })))
  )

  it.effect("does not exist in the mock, where the single price does", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const refused = yield* client.get("intstock-multprice", multiPrice, pairs(["005930"]))
      assert.strictEqual(refused.status, 500)
      assert.deepInclude(refused.body, { rt_cd: "1", msg_cd: "EGW02006" })
      const single = yield* client.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930")
      assert.strictEqual(single.body["rt_cd"], "0")
    }).pipe(Effect.provide(Exchange.layer({ env: "mock", callsPerSecond: 2 })))
  )
})

describe("inquire-price", () => {
  it.effect("has every captured field in its order, and the three that later lists add", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const captured = (JSON.parse(sample("inquire-price.json")) as { body: { output: Row } }).body
      const { body } = yield* client.get("inquire-price", price, "fid_cond_mrkt_div_code=J&fid_input_iscd=000660")
      const row = body["output"] as Row
      const later = ["new_hgpr_lwpr_cls_code", "apprch_rate", "mang_issu_cls_code"]
      assert.deepStrictEqual(Object.keys(body), Object.keys(captured))
      assert.deepStrictEqual(
        Object.keys(row).filter((key) => !later.includes(key)),
        Object.keys(captured.output)
      )
      assert.includeMembers(Object.keys(row), later)
      for (const [key, value] of Object.entries(captured.output)) {
        const written = row[key] ?? ""
        if (/^-?\d+$/.test(value)) assert.match(written, /^-?\d+$/, key)
        if (/^-?\d+\.\d\d$/.test(value)) assert.match(written, /^-?\d+\.\d\d$/, key)
        if (/^[YN]$/.test(value)) assert.match(written, /^[YN]$/, key)
      }
      assert.strictEqual(row["stck_shrn_iscd"], "000660")
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("answers an unlisted code with zeros and blanks, and a wrong division with OPSQ2001", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const unlisted = yield* client.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=999999")
      assert.strictEqual(unlisted.body["rt_cd"], "0")
      assert.deepInclude(unlisted.body["output"], { stck_prpr: "0", acml_vol: "0", stck_shrn_iscd: "999999" })
      const wrong = yield* client.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=Z&FID_INPUT_ISCD=005930")
      assert.strictEqual(wrong.status, 200)
      assert.deepInclude(wrong.body, { rt_cd: "2", msg_cd: "OPSQ2001" })
    }).pipe(Effect.provide(Exchange.layer()))
  )
})

describe("the gateway", () => {
  it.effect("refuses the call over the limit in the captured shape, and counts it", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const other = yield* signIn("PSOTHER")
      const ask = client.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930")
      for (let made = 0; made < 18; made++) assert.strictEqual((yield* ask).body["rt_cd"], "0")
      const refused = yield* ask
      const [captured] = JSON.parse(sample("errors.json")) as ReadonlyArray<{
        readonly http: number
        readonly body: object
      }>
      assert.strictEqual(refused.status, captured?.http)
      assert.strictEqual(JSON.stringify(refused.body), JSON.stringify(captured?.body))
      const others = yield* other.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930")
      assert.strictEqual(others.body["rt_cd"], "0")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* ask).body["rt_cd"], "0")
      const { controlUrl } = yield* Exchange
      const { body: stats } = yield* call(controlUrl)
      assert.deepInclude(stats, {
        calls: 23,
        answered: 22,
        refusals: 1,
        tokensIssued: 2,
        symbols: universe.length + konex.length
      })
      assert.deepStrictEqual(stats["refusalsByCode"], { EGW00201: 1 })
    }).pipe(Effect.provide(Exchange.layer({ callsPerSecond: 18 })))
  )

  it.effect("refuses the ledger's calls by a limit of their own, with EGW00215 and status 500", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const ask = client.get("chk-holiday", "CTCA0903R", "BASS_DT=20261119&CTX_AREA_NK=&CTX_AREA_FK=")
      const first = yield* ask
      assert.deepStrictEqual([first.body["msg_cd"], first.headers.get("tr_cont")], ["KIOK0500", "F"])
      const second = yield* ask
      assert.deepStrictEqual([second.status, second.body["msg_cd"]], [500, "EGW00215"])
      const other = yield* client.get("inquire-price", price, "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930")
      assert.strictEqual(other.body["rt_cd"], "0")
      yield* TestClock.adjust("1 second")
      const nextKey = String(first.body["ctx_area_nk"]).trim()
      const next = yield* client.get("chk-holiday", "CTCA0903R", `BASS_DT=20261119&CTX_AREA_NK=${nextKey}`, {
        tr_cont: "N"
      })
      assert.deepStrictEqual([next.body["msg_cd"], next.headers.get("tr_cont")], ["KIOK0500", "M"])
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("serves in the mock what the mock serves, and refuses all else", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const ask = yield* restClient("PSMOCK")
      const served: Array<string> = []
      for (const { path, trId } of endpoints.values()) {
        const { body } = yield* ask(path, trId, "")
        if (body["msg_cd"] !== "EGW02006") served.push(trId)
      }
      assert.sameMembers(served, [
        "FHKST01010100",
        "FHKST01010200",
        "FHKST01010300",
        "FHPST01060000",
        "FHKST03010200",
        "FHKST03010100"
      ])
      assert.isNotEmpty(restUrl)
    }).pipe(Effect.provide(Exchange.layer({ env: "mock", callsPerSecond: 0 })))
  )

  it.effect("adds both venues up for UN, and keeps them apart for J and NX", () =>
    Effect.gen(function* () {
      const client = yield* signIn("PSKEY")
      const onNxt = commons.find(({ nxt }) => nxt)?.code ?? ""
      const ask = Effect.forEach(["J", "NX", "UN"], (division) =>
        Effect.map(
          client.get("inquire-price", price, `FID_COND_MRKT_DIV_CODE=${division}&FID_INPUT_ISCD=${onNxt}`),
          ({ body }) => body["output"] as Row
        )
      )
      const [krx, nxt, both] = yield* ask
      const volume = (row: Row | undefined) => Number(row?.["acml_vol"])
      assert.isAbove(volume(krx), 0)
      assert.isAbove(volume(nxt), 0)
      assert.strictEqual(volume(krx) + volume(nxt), volume(both))
      assert.strictEqual(Number(krx?.["acml_tr_pbmn"]) + Number(nxt?.["acml_tr_pbmn"]), Number(both?.["acml_tr_pbmn"]))
    }).pipe(Effect.provide(Exchange.layer({ callsPerSecond: 0 })))
  )

  it.effect("names what is wrong with a call, and goes on", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const client = yield* signIn("PSKEY")
      const good = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
      const codeOf = (name: string, trId: string, headers: Record<string, string> = {}) =>
        Effect.map(client.get(name, trId, good, headers), ({ body, status }) => [status, body["msg_cd"]])
      assert.deepStrictEqual(yield* codeOf("inquire-price", price, { authorization: "Bearer x" }), [500, "EGW00121"])
      assert.deepStrictEqual(yield* codeOf("inquire-price", multiPrice), [200, "OPSQ0002"])
      assert.deepStrictEqual(yield* codeOf("no-such-call", price), [404, "OPSQ0002"])
      assert.deepStrictEqual(yield* codeOf("inquire-price", ""), [200, "OPSQ9999"])
      const keyless = yield* call(`${restUrl}/uapi/domestic-stock/v1/quotations/inquire-price?${good}`)
      assert.deepStrictEqual([keyless.status, keyless.body["msg_cd"]], [403, "EGW00102"])
      const huge = yield* call(`${restUrl}/oauth2/tokenP`, { method: "POST", body: "x".repeat(70_000) })
      assert.strictEqual(huge.status, 413)
      const again = yield* call(`${restUrl}/oauth2/tokenP`, { method: "POST", body: "{" })
      assert.deepStrictEqual([again.status, again.body["error_code"]], [400, "EGW00101"])
      assert.deepStrictEqual(yield* codeOf("inquire-price", price), [200, "MCA00000"])
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("fails in plain words when its port is taken", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const port = Number(new URL(restUrl).port)
      const error = yield* Effect.flip(Exchange.pipe(Effect.provide(Exchange.layer({ port }))))
      assert.include(error.message, `127.0.0.1:${port} is in use by another program`)
    }).pipe(Effect.provide(Exchange.layer()))
  )
})
