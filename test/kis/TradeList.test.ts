import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import type { Token } from "../../src/kis/Token.ts"
import { makeTradeLists } from "../../src/kis/TradeList.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { json, makeKisServer } from "../support/kisServer.ts"
import { sampleJson } from "../support/samples.ts"

const token: Token = {
  current: Effect.succeed(Redacted.make(secrets.token)),
  drop: () => Effect.void,
  keepFresh: Effect.never,
  status: Effect.succeed({ expiresAtMs: undefined, issues: 0 })
}

const setUp = Effect.gen(function* () {
  const server = yield* makeKisServer
  const client = yield* HttpClient.HttpClient
  const account = accountAt(server)
  const call: KisCall = (request) => Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  return { server, lists: makeTradeLists(account, call, token) }
})

type Row = Readonly<Record<string, string>>
const captured = <A>(name: string) => sampleJson<{ readonly body: A }>(`rest/${name}`).body
const success = (blocks: object) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: "ok", ...blocks })

layer(NodeHttpClient.layerUndici)("the trade lists", (it) => {
  it.effect("ask for the trades until an hour and give the captured rows as they came", () =>
    Effect.gen(function* () {
      const { lists, server } = yield* setUp
      const body = captured<{ output1: Row; output2: ReadonlyArray<Row> }>(
        "cap_inquire_time_itemconclusion_005930_20260527.json"
      )
      server.answer(() => success(body))
      const page = yield* lists.until("005930", "150822")
      assert.deepStrictEqual(page, {
        call: "inquire-time-itemconclusion",
        rows: body.output2,
        issue: body.output1
      })
      const [request] = server.requests
      assert.strictEqual(request?.path, "/uapi/domestic-stock/v1/quotations/inquire-time-itemconclusion")
      assert.strictEqual(request?.headers["tr_id"], "FHPST01060000")
      assert.deepStrictEqual(
        [...(request?.query ?? [])],
        [
          ["FID_COND_MRKT_DIV_CODE", "J"],
          ["FID_INPUT_ISCD", "005930"],
          ["FID_INPUT_HOUR_1", "150822"]
        ]
      )
    })
  )

  it.effect("ask for the newest trades and give the captured rows as they came", () =>
    Effect.gen(function* () {
      const { lists, server } = yield* setUp
      const body = captured<{ output: ReadonlyArray<Row> }>("cap_inquire_ccnl_005930_20260527.json")
      server.answer(() => success(body))
      assert.deepStrictEqual(yield* lists.latest("005930"), {
        call: "inquire-ccnl",
        rows: body.output,
        issue: undefined
      })
      assert.strictEqual(server.requests[0]?.headers["tr_id"], "FHKST01010300")
      assert.isFalse(server.requests[0]?.query.has("FID_INPUT_HOUR_1"))
    })
  )

  it.effect("keep the trades of a reply whose heading cannot be read, and refuse one without trades", () =>
    Effect.gen(function* () {
      const { lists, server } = yield* setUp
      server.answer(() => success({ output1: "", output2: [{ stck_cntg_hour: "090000" }] }))
      assert.deepInclude(yield* lists.until("005930", "150822"), {
        issue: undefined,
        rows: [{ stck_cntg_hour: "090000" }]
      })
      server.answer(() => success({ output1: { acml_vol: "7" } }))
      const error = yield* Effect.flip(lists.until("005930", "150822"))
      assert.strictEqual(error._tag, "KisReplyMalformed")
      assert.include(error.message, "it has no output2")
    })
  )

  it.effect("try a refused call again", () =>
    Effect.gen(function* () {
      const { lists, server } = yield* setUp
      let calls = 0
      server.answer(() =>
        ++calls === 1 ? json({ rt_cd: "1", msg_cd: "EGW00121", msg1: "expired" }, 500) : success({ output: [] })
      )
      assert.deepInclude(yield* lists.latest("005930"), { rows: [] })
      assert.strictEqual(calls, 2)
    })
  )
})
