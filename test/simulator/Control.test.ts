import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { networkInterfaces } from "node:os"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { faultNames } from "../../src/simulator/faults/faultKinds.ts"
import { rawCall } from "./rawCall.ts"

type Body = Readonly<Record<string, unknown>>

const control = Effect.fnUntraced(function* (method: string, path: string, body?: unknown) {
  const { restUrl } = yield* Exchange
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body)
  const answer = yield* rawCall(`${restUrl}/simulator${path}`, { method, ...(text !== undefined && { body: text }) })
  return { status: answer.status, body: JSON.parse(answer.body) as Body }
})

/** An address of this machine that is not loopback; where there is none, nobody could come from elsewhere. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address

const quiet = Exchange.layer({ tradesPerSecond: 0, seed: 42 })

describe("the control API", () => {
  it.effect("lists every fault with its meaning, puts one up, shows it at work, and ends it", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const { body } = yield* control("GET", "/faults")
      assert.strictEqual((body["kinds"] as ReadonlyArray<string>).length, faultNames.length)
      const posted = yield* control("POST", "/faults", { fault: "status", status: 503, where: { path: "/uapi" } })
      assert.deepInclude(posted.body, { id: 1, phase: "active", strikes: 0 })
      assert.strictEqual((yield* rawCall(`${restUrl}/uapi/x`)).status, 503)
      const listed = (yield* control("GET", "/faults")).body["faults"] as ReadonlyArray<Body>
      assert.deepInclude(listed[0], { id: 1, phase: "active", chances: 1, strikes: 1 })
      assert.deepInclude((yield* control("DELETE", "/faults/1")).body, { id: 1, phase: "over" })
      assert.strictEqual((yield* rawCall(`${restUrl}/uapi/x`)).status, 403)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("counts a fault's seconds from when it was put up, and ends all of them at once", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const status = Effect.map(rawCall(`${restUrl}/uapi/x`), (answer) => answer.status)
      yield* TestClock.adjust("1 hour")
      yield* control("POST", "/faults", { fault: "status", from: 10, for: 5 })
      assert.strictEqual(yield* status, 403)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* status, 500)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* status, 403)
      yield* control("POST", "/faults", { fault: "drop" })
      yield* control("POST", "/faults", { fault: "reset" })
      const { body } = yield* control("DELETE", "/faults")
      assert.deepStrictEqual(
        (body["stopped"] as ReadonlyArray<Body>).map(({ id }) => id),
        [2, 3]
      )
      assert.strictEqual(yield* status, 403)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("answers what it cannot read or do with what is allowed, and goes on", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [method: string, path: string, body: unknown, status: number, says: RegExp]> =
        [
          ["POST", "/faults", "{", 400, /not JSON/],
          ["POST", "/faults", { fault: "drp" }, 400, /"drop" \| "reset"/],
          ["POST", "/faults", { fault: "drop", columns: 2 }, 400, /no settings of its own/],
          ["DELETE", "/faults/7", undefined, 400, /no fault 7/],
          ["PUT", "/faults", {}, 405, /GET.*POST.*DELETE/],
          ["GET", "/nothing", undefined, 404, /GET \/simulator\/stats/],
          ["POST", "/market/vi", { symbol: "x" }, 400, /symbol.*005930/s],
          ["POST", "/market/vi", { symbol: "999999" }, 400, /./],
          ["POST", "/market/circuit-breaker", { level: 4 }, 400, /level/],
          ["POST", "/market/halt", {}, 400, /symbol/],
          ["POST", "/market/burst", { factor: 0 }, 400, /factor/],
          ["POST", "/market/clock", { hour: "9" }, 400, /09:00:30/],
          ["GET", "/ledger/tail?count=0", undefined, 400, /1 to 1000/],
          ["GET", "/ledger/tail?count=x", undefined, 400, /1 to 1000/]
        ]
      for (const [method, path, body, status, says] of cases) {
        const answer = yield* control(method, path, body)
        assert.strictEqual(answer.status, status, `${method} ${path}`)
        assert.match(JSON.stringify(answer.body).replaceAll('\\"', '"'), says)
      }
      assert.strictEqual((yield* control("GET", "/stats")).status, 200)
      assert.isEmpty((yield* control("GET", "/faults")).body["faults"] as ReadonlyArray<unknown>)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("halts an issue and lets it trade again, and says what the market is doing", () =>
    Effect.gen(function* () {
      const halted = yield* control("POST", "/market/halt", { symbol: "005930" })
      assert.strictEqual(halted.status, 200)
      assert.deepInclude(halted.body, { date: "19700101" })
      assert.strictEqual((yield* control("POST", "/market/halt", { symbol: "005930" })).status, 400)
      assert.strictEqual((yield* control("POST", "/market/resume", { symbol: "005930" })).status, 200)
      const { body } = yield* control("GET", "/ledger/tail")
      const actions = (body["lines"] as ReadonlyArray<Body>).map(({ action }) => action)
      assert.deepStrictEqual(actions.filter(Boolean), ["halt", "resume"])
    }).pipe(Effect.provide(quiet))
  )

  it.effect("starts a volatility interruption, a burst and another day", () =>
    Effect.gen(function* () {
      const vi = yield* control("POST", "/market/vi", { symbol: "005930", kind: "static" })
      assert.strictEqual(vi.status, 200, JSON.stringify(vi.body))
      yield* TestClock.adjust("1 second")
      const { body } = yield* control("GET", "/market")
      assert.deepInclude((body["interruptions"] as ReadonlyArray<Body>)[0], { code: "005930", kind: "static" })
      assert.strictEqual((yield* control("POST", "/market/burst", {})).status, 200)
      const moved = yield* control("POST", "/market/clock", { date: "2026-11-24", hour: "10:00:00" })
      assert.deepInclude(moved.body, { date: "20261124" })
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 400 })))
  )

  it.effect.skipIf(elsewhere === undefined)("answers nobody from elsewhere, to whom the KIS paths are open", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      const url = restUrl.replace("0.0.0.0", elsewhere ?? "")
      assert.strictEqual((yield* rawCall(`${url}/simulator/stats`)).status, 403)
      assert.strictEqual((yield* rawCall(`${url}/simulator/faults`, { method: "DELETE" })).status, 403)
      assert.include((yield* rawCall(`${url}/uapi/x`)).body, "EGW00102")
      assert.strictEqual((yield* rawCall(`${restUrl.replace("0.0.0.0", "127.0.0.1")}/simulator/stats`)).status, 200)
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0, host: "0.0.0.0" })))
  )

  it.effect("shows seed and options, and the ledger's totals, none of which count calls to itself", () =>
    Effect.gen(function* () {
      const { restUrl } = yield* Exchange
      assert.deepInclude((yield* control("GET", "/options")).body, { seed: 42, env: "live", faults: 0 })
      yield* rawCall(`${restUrl}/uapi/x`)
      assert.deepInclude((yield* control("GET", "/ledger")).body, { lines: 2, calls: 1, refused: 1 })
      assert.deepInclude((yield* control("GET", "/stats")).body, { calls: 1, refusals: 1 })
      assert.isAbove(((yield* control("GET", "")).body["allowed"] as ReadonlyArray<string>).length, 10)
    }).pipe(Effect.provide(quiet))
  )
})
