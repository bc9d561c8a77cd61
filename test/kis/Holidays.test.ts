import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { makeHolidays } from "../../src/kis/Holidays.ts"
import { exchange, type KisCall, type KisRequest, laneOfRequest } from "../../src/kis/KisHttp.ts"
import type { Token } from "../../src/kis/Token.ts"
import { accountAt, secrets } from "../support/accounts.ts"
import { json, makeKisServer, type ScriptedAnswer, type SeenRequest } from "../support/kisServer.ts"
import { sampleJson } from "../support/samples.ts"
import { passUntil } from "../support/virtualTime.ts"

interface Page {
  readonly ctx_area_nk: string
  readonly output: ReadonlyArray<Readonly<Record<string, string>>>
}
const captured = sampleJson<{ readonly body: Page }>("rest/cap_chk_holiday_20260601.json").body

const setUp = Effect.gen(function* () {
  const server = yield* makeKisServer
  const client = yield* HttpClient.HttpClient
  const account = accountAt(server)
  let drops = 0
  const token: Token = {
    current: Effect.sync(() => Redacted.make(`${secrets.token}.${drops}`)),
    drop: () => Effect.sync(() => void (drops += 1)),
    keepFresh: Effect.never,
    status: Effect.succeed({ expiresAtMs: undefined, issues: 0 })
  }
  const calls: Array<KisRequest> = []
  const call: KisCall = (request) => {
    calls.push(request)
    return Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  }
  return { server, calls, holidays: makeHolidays(account, call, token) }
})

const row = (bass_dt: string, opnd_yn: string) => ({ bass_dt, bzdy_yn: "Y", tr_day_yn: "Y", opnd_yn, sttl_day_yn: "Y" })
const page = (rows: ReadonlyArray<object>, trCont: string, nk = ""): ScriptedAnswer => ({
  text: JSON.stringify({ rt_cd: "0", ctx_area_nk: nk.padEnd(20), ctx_area_fk: "20261124".padEnd(20), output: rows }),
  headers: { tr_cont: trCont }
})
const inTurn = (...answers: ReadonlyArray<ScriptedAnswer>) => {
  let at = 0
  return () => answers[Math.min(at++, answers.length - 1)] ?? "cut"
}
/** What the server was asked for. */
const asked = ({ headers, query }: SeenRequest) => [headers["tr_cont"], ...query.values()]

layer(NodeHttpClient.layerUndici)("the calendar call", (it) => {
  it.effect("reads the captured page by the exchange's own flag, and asks for no more than it was to know", () =>
    Effect.gen(function* () {
      const { calls, holidays, server } = yield* setUp
      server.answer(() => ({ text: JSON.stringify({ ...captured, rt_cd: "0" }), headers: { tr_cont: "F" } }))
      const said = yield* holidays.openDays("20260601", "20260622")
      assert.strictEqual(said.size, 24)
      assert.deepStrictEqual(
        ["20260602", "20260603", "20260606", "20260624"].map((date) => said.get(date)),
        [true, false, false, true]
      )
      const [request] = server.requests as [SeenRequest]
      assert.strictEqual(server.requests.length, 1)
      assert.strictEqual(request.path, "/uapi/domestic-stock/v1/quotations/chk-holiday")
      assert.deepStrictEqual(
        [...request.query],
        [
          ["BASS_DT", "20260601"],
          ["CTX_AREA_NK", ""],
          ["CTX_AREA_FK", ""]
        ]
      )
      assert.strictEqual(request.headers["tr_id"], "CTCA0903R")
      assert.strictEqual(request.headers["authorization"], `Bearer ${secrets.token}.0`)
      assert.deepStrictEqual(calls.map(laneOfRequest), ["ledger"])
    })
  )

  it.effect("follows the pages until the day it was to know, with the keys as they came", () =>
    Effect.gen(function* () {
      const { holidays, server } = yield* setUp
      server.answer(
        inTurn(
          page([row("20261124", "Y"), row("20261125", "Y")], "F", "20261125"),
          page([row("20261125", "Y"), row("20261126", "N")], "M", "20261126"),
          page([row("20261127", "Y")], "M", "20261127"),
          page([row("20261128", "N")], "E")
        )
      )
      assert.strictEqual((yield* holidays.openDays("20261124", "20261127")).size, 4)
      const fk = "20261124".padEnd(20)
      assert.deepStrictEqual(server.requests.map(asked), [
        ["", "20261124", "", ""],
        ["N", "20261124", "20261125".padEnd(20), fk],
        ["N", "20261124", "20261126".padEnd(20), fk]
      ])
    })
  )

  it.effect("ends with the broker's last page, and with one that brings nothing new", () =>
    Effect.gen(function* () {
      const { holidays, server } = yield* setUp
      server.answer(inTurn(page([row("20261124", "Y")], "D", "20261124")))
      assert.strictEqual((yield* holidays.openDays("20261124", "20271231")).size, 1)
      assert.strictEqual(server.requests.length, 1)
      server.answer(inTurn(page([row("20261124", "Y")], "F", "20261124")))
      assert.strictEqual((yield* holidays.openDays("20261124", "20271231")).size, 1)
      assert.strictEqual(server.requests.length, 3)
    })
  )

  it.effect(
    "is tried again a little later when the ledger is busy, and with another token when this one is refused",
    () =>
      Effect.gen(function* () {
        const { holidays, server } = yield* setUp
        server.answer(
          inTurn(
            json({ rt_cd: "1", msg_cd: "EGW00215", msg1: "busy" }, 500),
            json({ rt_cd: "1", msg_cd: "EGW00123", msg1: "expired" }, 500),
            page([row("20261124", "N")], "D")
          )
        )
        const asking = yield* Effect.forkChild(holidays.openDays("20261124", "20261124"))
        yield* passUntil(() => asking.pollUnsafe() !== undefined, 100)
        assert.strictEqual(server.requests.length, 3)
        assert.strictEqual(server.requests[2]?.headers["authorization"], `Bearer ${secrets.token}.1`)
      })
  )

  it.effect("is made three times at the most, for the broker asks for one a day", () =>
    Effect.gen(function* () {
      const { holidays, server } = yield* setUp
      server.answer(() => json({ rt_cd: "1", msg_cd: "EGW00215", msg1: "busy" }, 500))
      const asking = yield* Effect.forkChild(Effect.flip(holidays.openDays("20261124", "20261124")))
      yield* passUntil(() => asking.pollUnsafe() !== undefined, 100)
      assert.strictEqual((yield* Fiber.join(asking))._tag, "KisThrottled")
      assert.strictEqual(server.requests.length, 3)
    })
  )

  for (const [what, rows] of [
    ["a day that is none", [row("20261131", "Y")]],
    ["neither Y nor N", [row("20261124", "")]],
    ["no day", [{ opnd_yn: "Y" }]],
    ["something else than rows", ["Y"]]
  ] as const) {
    it.effect(`is refused when it says ${what}`, () =>
      Effect.gen(function* () {
        const { holidays, server } = yield* setUp
        server.answer(() => page(rows as never, "D"))
        const error = yield* Effect.flip(holidays.openDays("20261124", "20261124"))
        assert.strictEqual(error._tag, "KisReplyMalformed")
      })
    )
  }
})
