import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Exchange } from "../../src/simulator/Exchange.ts"
import type { ExchangeOptions } from "../../src/simulator/ExchangeOptions.ts"
import type { Fault } from "../../src/simulator/faults/Fault.ts"
import { limitRules } from "../../src/simulator/limits/LimitRules.ts"
import { passUntil, until } from "../support/virtualTime.ts"
import { rawCall } from "./rawCall.ts"

const credentials = { grant_type: "client_credentials", appkey: "PSKEY", appsecret: "SECRET" }
const multiPrice = "/uapi/domestic-stock/v1/quotations/intstock-multprice"
const asked = ["005930", "000660", "035720"]
const query = asked.map((code, at) => `fid_cond_mrkt_div_code_${at + 1}=J&fid_input_iscd_${at + 1}=${code}`).join("&")

const exchange = (faults: ReadonlyArray<Fault>, given: Partial<ExchangeOptions> = {}) =>
  Exchange.layer({ faults, tradesPerSecond: 0, ...given })

const signIn = Effect.gen(function* () {
  const { restUrl } = yield* Exchange
  const token = yield* rawCall(`${restUrl}/oauth2/tokenP`, { method: "POST", body: JSON.stringify(credentials) })
  const body = JSON.parse(token.body) as { readonly access_token: string; readonly access_token_token_expired: string }
  const headers = {
    authorization: `Bearer ${body.access_token}`,
    appkey: credentials.appkey,
    appsecret: credentials.appsecret,
    tr_id: "FHKST11300006"
  }
  return {
    token,
    expires: body.access_token_token_expired,
    sweep: rawCall(`${restUrl}${multiPrice}?${query}`, { headers })
  }
})

interface Sweep {
  readonly rt_cd: string
  readonly msg_cd: string
  readonly output: ReadonlyArray<Readonly<Record<string, string>>>
}
const read = (text: string) => JSON.parse(text) as Sweep
const codes = (text: string) => read(text).output.map((row) => row["inter_shrn_iscd"])

/** The calls of the exchange that a fault of this kind, once, on the sweep alone, leaves behind. */
const struck = (fault: Fault) => exchange([{ count: 1, where: { path: "/uapi" }, ...fault }])

describe("a fault of a call", () => {
  it.effect("closes the connection without an answer, or resets it, and the next call is fine", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      assert.deepInclude(yield* sweep, { status: undefined, failed: "ECONNRESET" })
      assert.deepInclude(yield* sweep, { status: undefined, failed: "ECONNRESET" })
      assert.deepStrictEqual(codes((yield* sweep).body), asked)
      const stats = yield* (yield* Exchange).stats
      assert.deepInclude(stats, { calls: 4, answered: 2, refusals: 0, unanswered: 2 })
    }).pipe(
      Effect.provide(
        exchange([
          { fault: "drop", count: 1, where: { path: "/uapi" } },
          { fault: "reset", count: 1, where: { path: "/uapi" } }
        ])
      )
    )
  )

  it.effect("never answers, and holds the connection until the client hangs up", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      const { stats } = yield* Exchange
      const silent = yield* Effect.forkChild(sweep)
      let unanswered = 0
      yield* Effect.repeat(
        Effect.map(stats, (counts) => (unanswered = counts.unanswered)),
        { until: (count) => count === 1 }
      ).pipe(Effect.forkChild)
      yield* until(() => unanswered === 1)
      assert.isUndefined(silent.pollUnsafe())
      yield* Fiber.interrupt(silent)
      assert.strictEqual((yield* sweep).status, 200)
    }).pipe(Effect.provide(struck({ fault: "silence" })))
  )

  it.effect("lets the body trickle in, all of it in the end", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      const slow = yield* Effect.forkChild(sweep)
      let took_ms = 0
      yield* passUntil(() => {
        took_ms += 100
        return slow.pollUnsafe() !== undefined
      }, 100)
      const { body } = yield* Fiber.join(slow)
      assert.deepStrictEqual(codes(body), asked)
      assert.isAtLeast(took_ms, (1_000 * body.length) / 1_000 - 200)
    }).pipe(Effect.provide(struck({ fault: "slowBytes", bytesPerSecond: 1_000 })))
  )

  it.effect("sends half a JSON, an HTML page with a good status, or a bare server error", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      const page = yield* sweep
      assert.deepInclude(page, { status: 200 })
      assert.match(String(page.headers["content-type"]), /text\/html/)
      assert.deepInclude(yield* sweep, { status: 502, body: "" })
      const half = yield* sweep
      assert.deepInclude(half, { status: 200, failed: undefined })
      assert.strictEqual(Number(half.headers["content-length"]), Buffer.byteLength(half.body))
      assert.throws(() => read(half.body))
      assert.include(half.body, '"output":[')
    }).pipe(
      Effect.provide(
        exchange([
          { fault: "truncatedJson", count: 1, where: { path: "/uapi" } },
          { fault: "htmlPage", count: 1, where: { path: "/uapi" } },
          { fault: "status", status: 502, count: 1, where: { path: "/uapi" } }
        ])
      )
    )
  )

  it.effect("refuses calls below the limit in the shape of the limit's own refusal", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      const stormy = yield* sweep
      assert.strictEqual(stormy.status, 500)
      assert.deepStrictEqual(Object.keys(JSON.parse(stormy.body) as object), ["rt_cd", "msg1", "msg_cd"])
      assert.deepInclude(read(stormy.body), { rt_cd: "1", msg_cd: "EGW00201" })
      assert.strictEqual((yield* sweep).status, 200)
      assert.deepInclude((yield* (yield* Exchange).stats).refusalsByCode, { EGW00201: 1 })
    }).pipe(Effect.provide(struck({ fault: "storm" })))
  )

  it.effect("revokes the token in the middle of a sweep: it stays worthless", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      const answers = yield* Effect.all([sweep, sweep])
      assert.deepStrictEqual(
        answers.map(({ body }) => read(body).msg_cd),
        ["EGW00121", "EGW00121"]
      )
    }).pipe(Effect.provide(exchange([{ fault: "tokenRevoked" }])))
  )

  it.effect("closes the token desk and nothing else", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const token = yield* rawCall(`${restUrl}/oauth2/tokenP`, { method: "POST", body: JSON.stringify(credentials) })
      assert.strictEqual(token.status, 500)
      assert.include(token.body, "error_code")
      const { body } = yield* rawCall(`${restUrl}${multiPrice}`, { headers: { appkey: "PSKEY" } })
      assert.strictEqual(read(body).msg_cd, "EGW00104")
    }).pipe(Effect.provide(exchange([{ fault: "tokenDeskDown" }])))
  )

  it.effect("leaves rows out, another one each time, or makes zeroes of the symbols it is for", () =>
    Effect.gen(function* () {
      const { sweep } = yield* signIn
      assert.deepStrictEqual(codes((yield* sweep).body), ["000660", "035720"])
      assert.deepStrictEqual(codes((yield* sweep).body), ["005930", "035720"])
      const [first = {}, second = {}] = read((yield* sweep).body).output
      assert.deepInclude(second, { inter_shrn_iscd: "000660", inter2_prpr: "0", acml_vol: "0", prdy_ctrt: "0.00" })
      assert.notStrictEqual(second["inter_kor_isnm"], "0")
      assert.isAbove(Number(first["inter2_prpr"]), 0)
    }).pipe(
      Effect.provide(
        exchange([
          { fault: "missingRows", count: 2 },
          { fault: "zeroRows", from: 0, where: { symbol: "000660" } }
        ])
      )
    )
  )

  it.effect("puts the Date header and a token's expiry out, but not the seconds it has left", () =>
    Effect.gen(function* () {
      const { expires, token } = yield* signIn
      assert.strictEqual(token.headers["date"], "Thu, 01 Jan 1970 02:00:00 GMT")
      assert.strictEqual(expires, "1970-01-02 11:00:00")
      assert.include(token.body, '"expires_in":86400')
    }).pipe(Effect.provide(exchange([{ fault: "clockSkew", skew_seconds: 7_200 }])))
  )
})

describe("latency", () => {
  it.effect("holds each answer back for its own time, so that answers come in another order than calls", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const calls = Array.from({ length: 12 }, (_, at) => at)
      const order: Array<number> = []
      const fibers = yield* Effect.forEach(calls, (at) =>
        rawCall(`${restUrl}${multiPrice}`).pipe(
          Effect.tap(() => Effect.sync(() => order.push(at))),
          Effect.forkChild
        )
      )
      let waited_ms = 0
      yield* passUntil(() => {
        waited_ms += 1
        return order.length === fibers.length
      }, 1)
      assert.isAtLeast(waited_ms, 50)
      assert.notDeepEqual(order, calls)
    }).pipe(
      Effect.provide(
        exchange([], { limits: { ...limitRules, latency: { min_ms: 50, max_ms: 500, shape: "uniform" } } })
      )
    )
  )
})
