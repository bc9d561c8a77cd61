import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Counters } from "../../src/simulator/Counters.ts"
import { exchangeOptions, type ExchangeOptions, Options } from "../../src/simulator/ExchangeOptions.ts"
import { TokenDesk } from "../../src/simulator/TokenDesk.ts"
import { sample } from "./fixtures.ts"

const deskOf = (given: Partial<ExchangeOptions> = {}) =>
  TokenDesk.layer.pipe(
    Layer.provide(Counters.layer),
    Layer.provide(Layer.succeed(Options, exchangeOptions(given))),
    Layer.fresh
  )

const grant = { grant_type: "client_credentials", appkey: "PSKEY", appsecret: "SECRET" }
const ask = (fields: object = grant) => TokenDesk.use((desk) => desk.issue(JSON.stringify(fields)))
const tokenOf = (reply: object) => ("access_token" in reply ? String(reply.access_token) : "")
const check = (token: string, secret = "SECRET") =>
  TokenDesk.use((desk) => desk.check("PSKEY", secret, `Bearer ${token}`))
const codeOf = <A, R>(effect: Effect.Effect<A, { readonly code: string }, R>) =>
  Effect.match(effect, { onSuccess: () => "accepted", onFailure: ({ code }) => code })

describe("access tokens", () => {
  it.effect("come in the shape that was captured", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 4, 27, 5, 49, 51))
      const reply = yield* ask()
      const captured = JSON.parse(sample("token.json")) as { readonly body: object }
      assert.deepStrictEqual(Object.keys(reply), Object.keys(captured.body))
      assert.deepInclude(reply, {
        access_token_token_expired: "2026-05-28 14:49:51",
        token_type: "Bearer",
        expires_in: 86_400
      })
      assert.match(tokenOf(reply), /^[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.isAtMost(tokenOf(reply).length, 350)
    }).pipe(Effect.provide(deskOf()))
  )

  it.effect("are given once a minute, the same one for six hours, then another", () =>
    Effect.gen(function* () {
      const first = tokenOf(yield* ask())
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* codeOf(ask()), "EGW00133")
      yield* TestClock.adjust("1 second")
      const again = yield* ask()
      assert.strictEqual(tokenOf(again), first)
      assert.deepInclude(again, { expires_in: 86_340 })
      yield* TestClock.adjust("6 hours")
      assert.notStrictEqual(tokenOf(yield* ask()), first)
      assert.strictEqual(yield* codeOf(check(first)), "accepted")
    }).pipe(Effect.provide(deskOf()))
  )

  it.effect("hold for a day, over a restart of the exchange, and in their own environment only", () =>
    Effect.gen(function* () {
      const token = tokenOf(yield* ask().pipe(Effect.provide(deskOf())))
      assert.strictEqual(yield* codeOf(check(token).pipe(Effect.provide(deskOf()))), "accepted")
      assert.strictEqual(yield* codeOf(check(token).pipe(Effect.provide(deskOf({ env: "mock" })))), "EGW00123")
      yield* TestClock.adjust("24 hours")
      assert.strictEqual(yield* codeOf(check(token).pipe(Effect.provide(deskOf()))), "EGW00123")
    })
  )

  it.effect("are refused when forged, revoked, of another key or not a bearer's", () =>
    Effect.gen(function* () {
      const token = tokenOf(yield* ask())
      const desk = yield* TokenDesk
      assert.strictEqual(yield* codeOf(check(`${token.slice(0, -1)}_`)), "EGW00121")
      assert.strictEqual(yield* codeOf(check("x")), "EGW00121")
      assert.strictEqual(yield* codeOf(desk.check("OTHER", "SECRET", `Bearer ${token}`)), "EGW00121")
      assert.strictEqual(yield* codeOf(desk.check("PSKEY", "SECRET", token)), "EGW00205")
      assert.strictEqual(yield* codeOf(desk.check("PSKEY", "SECRET", undefined)), "EGW00122")
      yield* desk.revoke(JSON.stringify({ ...grant, token }))
      assert.strictEqual(yield* codeOf(check(token)), "EGW00121")
      yield* TestClock.adjust("1 minute")
      assert.notStrictEqual(tokenOf(yield* ask()), token)
    }).pipe(Effect.provide(deskOf()))
  )

  it.effect("are worthless once the desk forgets them", () =>
    Effect.gen(function* () {
      const token = tokenOf(yield* ask())
      const desk = yield* TokenDesk
      desk.forget(`Bearer ${token}`)
      assert.strictEqual(yield* codeOf(check(token)), "EGW00121")
    }).pipe(Effect.provide(deskOf()))
  )

  it.effect("need a key, its own secret and the right grant", () =>
    Effect.gen(function* () {
      yield* ask()
      assert.strictEqual(yield* codeOf(ask({ ...grant, appsecret: "ANOTHER" })), "EGW00105")
      assert.strictEqual(yield* codeOf(check("x", "ANOTHER")), "EGW00105")
      assert.strictEqual(yield* codeOf(ask({ ...grant, appkey: " " })), "EGW00102")
      assert.strictEqual(yield* codeOf(ask({ ...grant, appkey: "with space" })), "EGW00103")
      assert.strictEqual(yield* codeOf(ask({ ...grant, appsecret: undefined })), "EGW00104")
      assert.strictEqual(yield* codeOf(ask({ ...grant, grant_type: "password" })), "EGW00116")
      assert.strictEqual(yield* codeOf(ask({ appkey: "PSKEY" })), "EGW00115")
      assert.strictEqual(yield* codeOf(TokenDesk.use((desk) => desk.issue("not json"))), "EGW00101")
    }).pipe(Effect.provide(deskOf()))
  )
})

describe("approval keys", () => {
  it.effect("are given once a second to each app key", () =>
    Effect.gen(function* () {
      const approve = (appkey: string) =>
        codeOf(
          TokenDesk.use((desk) =>
            desk.approve(JSON.stringify({ grant_type: "client_credentials", appkey, secretkey: "SECRET" }))
          )
        )
      assert.deepStrictEqual([yield* approve("PSKEY"), yield* approve("PSKEY")], ["accepted", "EGW00201"])
      assert.strictEqual(yield* approve("PSOTHER"), "accepted")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* approve("PSKEY"), "accepted")
    }).pipe(Effect.provide(deskOf()))
  )

  it.effect("look like a UUID and name their owner for a day", () =>
    Effect.gen(function* () {
      const desk = yield* TokenDesk
      const approve = (appkey: string) =>
        desk.approve(JSON.stringify({ grant_type: "client_credentials", appkey, secretkey: "SECRET" }))
      const keyOf = (reply: object) => ("approval_key" in reply ? String(reply.approval_key) : "")
      const key = keyOf(yield* approve("PSKEY"))
      assert.match(key, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      yield* TestClock.adjust("1 second")
      const owner = desk.ownerOf(key)
      assert.isDefined(owner)
      assert.strictEqual(desk.ownerOf(keyOf(yield* approve("PSKEY"))), owner)
      assert.notStrictEqual(desk.ownerOf(keyOf(yield* approve("OTHER"))), owner)
      assert.isUndefined(desk.ownerOf(key.replace(/.$/, (last) => (last === "0" ? "1" : "0"))))
      yield* TestClock.adjust("24 hours")
      assert.isUndefined(desk.ownerOf(key))
    }).pipe(Effect.provide(deskOf()))
  )
})
