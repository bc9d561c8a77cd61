import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import type { JournalRecord } from "../../src/domain/JournalRecord.ts"
import { makeSweeper } from "../../src/feed/Sweeper.ts"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import { makeQuotations } from "../../src/kis/Quotations.ts"
import type { Token } from "../../src/kis/Token.ts"
import { accountAt, leakIn, secrets } from "../support/accounts.ts"
import { json, makeKisServer, type SeenRequest } from "../support/kisServer.ts"
import { looked, passUntil } from "../support/virtualTime.ts"
import { ofKind, openMs, openRoom, payloadOf } from "./room.ts"

const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)
const rowOf = (symbol: string, price = "100") => ({ inter_shrn_iscd: symbol, inter2_prpr: price, acml_vol: "7" })
const askedIn = ({ query }: SeenRequest) =>
  [...query].flatMap(([key, value]) => (key.startsWith("FID_INPUT_ISCD") ? [value] : []))
const success = (rows: unknown) => json({ rt_cd: "0", msg_cd: "MCA00000", msg1: "ok", output: rows })

/** A sweep over a real socket into a real journal; the budget is not part of it. */
const setUp = Effect.fnUntraced(function* (
  symbols: ReadonlyArray<string>,
  options: { readonly multiPrice?: boolean; readonly mode?: "always" | "calendar" } = {}
) {
  const room = yield* openRoom(symbols, { mode: options.mode ?? "always" })
  const server = yield* makeKisServer
  const client = yield* HttpClient.HttpClient
  const account = accountAt(server)
  const call: KisCall = (request) => Effect.provideService(exchange(account, request), HttpClient.HttpClient, client)
  const token: Token = {
    current: Effect.succeed(Redacted.make(secrets.token)),
    drop: () => Effect.void,
    keepFresh: Effect.never,
    status: Effect.succeed({ expiresAtMs: undefined, issues: 0 })
  }
  const quotations = makeQuotations(account, call, token)
  const { session, shards } = room
  const sweeper = yield* Effect.provideContext(
    makeSweeper({
      account: "main",
      symbols,
      multiPrice: options.multiPrice ?? true,
      quotations,
      session,
      deliver: shards.deliver
    }),
    room.context
  )
  const statusOf = looked(sweeper.status)
  return { ...room, server, sweeper, statusOf, asked: () => server.requests.map(askedIn) }
})

const gapsOf = (cause: string, records: ReadonlyArray<JournalRecord>) =>
  ofKind(records, "gap").filter((record) => payloadOf(record)["cause"] === cause)

layer(NodeHttpClient.layerUndici)("a sweep", (it) => {
  it.effect("asks for every symbol in calls of 30 and writes a quote of each, and its summary", () =>
    Effect.gen(function* () {
      const symbols = codes(100)
      const { asked, atRest, passUntilWritten, server, statusOf, sweeper } = yield* setUp(symbols)
      // Rows are joined by their code, so their order must not matter.
      server.answer((request) =>
        success(
          askedIn(request)
            .map((symbol) => rowOf(symbol, symbol))
            .reverse()
        )
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1)
      assert.deepStrictEqual(
        asked()
          .slice(0, 4)
          .map((batch) => batch.length)
          .sort(),
        [10, 30, 30, 30]
      )
      assert.deepStrictEqual(asked().slice(0, 4).flat().sort(), symbols)
      const [summary] = ofKind(records, "marker").map(payloadOf)
      assert.deepInclude(summary, { event: "sweep", number: 1, asked: 100, answered: 100, missing: [] })
      const { stored, tally, written } = yield* atRest("kis-rest")
      assert.strictEqual(stored, 100)
      assert.strictEqual(tally.stored, 100)
      for (const { account, kind, price, symbol } of written) {
        assert.deepInclude({ account, kind, price }, { account: "main", kind: "quote", price: Number(symbol) })
      }
      assert.strictEqual(statusOf().state, "ok")
      assert.isAtLeast(statusOf().rounds, 1)
    })
  )

  it.effect("writes no quote twice that says the same, counts it, and says so in its summary", () =>
    Effect.gen(function* () {
      const { atRest, passUntilWritten, server, sweeper } = yield* setUp(codes(5))
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      const running = yield* Effect.forkScoped(sweeper.run)
      const toldIn = (records: ReadonlyArray<JournalRecord>) =>
        ofKind(records, "marker").map((record) => Number(payloadOf(record)["deduplicated"]))
      const records = yield* passUntilWritten((written) => toldIn(written).some((told) => told > 0), 50)
      yield* Fiber.interrupt(running)
      const { stored, tally } = yield* atRest("kis-rest")
      assert.strictEqual(stored, 5)
      assert.strictEqual(tally.received, tally.stored + tally.deduplicated)
      const told = toldIn(records).reduce((sum, each) => sum + each, 0)
      assert.isTrue(told > 0 && told <= tally.deduplicated, `${told} of ${tally.deduplicated}`)
    })
  )

  it.effect(
    "asks again for a row that is missing, then names the symbol once, with a gap, and goes on with the others",
    () =>
      Effect.gen(function* () {
        const symbols = [...codes(40), "0000Y0"]
        const { asked, atRest, passUntilWritten, server, statusOf, sweeper } = yield* setUp(symbols)
        server.answer((request) =>
          success(
            askedIn(request)
              .filter((symbol) => symbol !== "0000Y0")
              .map((symbol) => rowOf(symbol))
          )
        )
        yield* Effect.forkScoped(sweeper.run)
        const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 3)
        assert.isAtLeast(asked().filter((batch) => batch.includes("0000Y0")).length, 3)
        assert.deepStrictEqual(
          gapsOf("notCovered", records).map(({ account, symbol }) => [account, symbol]),
          [["main", "0000Y0"]]
        )
        const [summary] = ofKind(records, "marker").map(payloadOf)
        assert.deepInclude(summary, { asked: 41, answered: 40, missing: ["0000Y0"] })
        assert.deepStrictEqual(statusOf().unknown, ["0000Y0"])
        assert.strictEqual((yield* atRest("kis-rest")).stored, 40)
      })
  )

  it.effect("takes a row that comes at the second asking, and names nobody", () =>
    Effect.gen(function* () {
      const { passUntilWritten, server, statusOf, sweeper } = yield* setUp(codes(3))
      let first = true
      server.answer((request) => {
        const rows = askedIn(request)
          .map((symbol) => rowOf(symbol))
          .filter(({ inter_shrn_iscd }) => !(first && inter_shrn_iscd === "001001"))
        first = false
        return success(rows)
      })
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 3, answered: 3, missing: [] })
      assert.deepStrictEqual(ofKind(records, "gap"), [])
      assert.deepStrictEqual(statusOf().unknown, [])
    })
  )

  it.effect("refuses rows nobody asked for, a known symbol's too, and rows without a code", () =>
    Effect.gen(function* () {
      const symbols = codes(31)
      const { atRest, passUntilWritten, server, statusOf, sweeper } = yield* setUp(symbols)
      server.answer((request) => {
        const batch = askedIn(request)
        const stray = symbols.find((symbol) => !batch.includes(symbol)) ?? ""
        return success([
          ...batch.map((symbol) => rowOf(symbol)),
          rowOf("999999"),
          rowOf(stray, "555"),
          { inter2_prpr: "5" }
        ])
      })
      const running = yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => statusOf().rounds >= 1)
      yield* Fiber.interrupt(running)
      const { rejected, stored, tally, written } = yield* atRest("kis-rest")
      assert.strictEqual(stored, 31)
      // A row out of turn is not taken even for a symbol that is observed.
      assert.isFalse(written.some(({ price }) => price === 555))
      assert.deepStrictEqual([tally.rejected, tally.received], [rejected, stored + rejected + tally.deduplicated])
      const rejects = ofKind(written, "reject").map(payloadOf)
      assert.isTrue(rejects.every(({ reason }) => reason === "unknownSymbol"))
      assert.include(
        rejects.map(({ raw }) => raw),
        JSON.stringify(rowOf("999999"))
      )
      assert.include(
        rejects.map(({ raw }) => raw),
        JSON.stringify({ inter2_prpr: "5" })
      )
      yield* passUntilWritten(() => true)
    })
  )

  it.effect("refuses prices of zero and blanks by their reasons, and counts their symbols as answered", () =>
    Effect.gen(function* () {
      const { atRest, passUntilWritten, server, sweeper } = yield* setUp(codes(4))
      const prices = ["0", "", "abc", "100"]
      server.answer((request) =>
        success(askedIn(request).map((symbol) => rowOf(symbol, prices[codes(4).indexOf(symbol)])))
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 4, answered: 4 })
      const { rejected, stored, written } = yield* atRest("kis-rest")
      assert.deepStrictEqual([stored, rejected], [1, 3])
      assert.deepStrictEqual(
        ofKind(written, "reject")
          .map((record) => payloadOf(record)["reason"])
          .sort(),
        ["badNumber", "blankPrice", "zeroPrice"]
      )
    })
  )

  it.effect("goes on by itself when the broker was down, loses no symbol by it, and says both", () =>
    Effect.gen(function* () {
      const { atRest, passUntilWritten, server, statusOf, sweeper } = yield* setUp(codes(65))
      server.answer(() => json({}, 502))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => statusOf().state === "degraded", 50)
      assert.include(statusOf().reason ?? "", "the broker cannot be reached")
      assert.isUndefined(statusOf().lastAnswerAtMs)
      const calls = server.requests.length
      yield* TestClock.adjust(1)
      assert.isAtMost(server.requests.length - calls, 4)
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1, 100)
      assert.strictEqual(statusOf().state, "ok")
      assert.isUndefined(statusOf().reason)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 65, answered: 65, missing: [] })
      assert.strictEqual((yield* atRest("kis-rest")).stored, 65)
      assert.deepStrictEqual(gapsOf("notCovered", records), [])
    })
  )

  it.effect("does not hammer a broker that is down", () =>
    Effect.gen(function* () {
      const { server, sweeper } = yield* setUp(codes(300))
      server.answer(() => json({ rt_cd: "1", msg_cd: "EGW00300", msg1: "down" }, 500))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => server.requests.length >= 4)
      yield* TestClock.adjust("1 minute")
      for (let turns = 0; turns < 60; turns++) {
        yield* passUntil(() => true)
        yield* TestClock.adjust("1 second")
      }
      assert.isAtMost(server.requests.length, 40)
    })
  )

  it.effect("sets a reply that is none aside with what it said, without secrets, and asks again", () =>
    Effect.gen(function* () {
      const { atRest, passUntilWritten, server, sweeper } = yield* setUp(codes(3))
      let calls = 0
      server.answer((request) =>
        calls++ === 0
          ? { text: `<html>${String(request.headers.authorization)} ${String(request.headers["appsecret"])}</html>` }
          : success(askedIn(request).map((symbol) => rowOf(symbol)))
      )
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1, 50)
      const { rejected, stored, tally, written } = yield* atRest("kis-rest")
      assert.deepStrictEqual([stored, rejected, tally.rejected], [3, 1, 1])
      const [reject] = ofKind(written, "reject").map(payloadOf)
      assert.strictEqual(reject?.["reason"], "replyShape")
      assert.include(String(reject?.["raw"]), "<html>")
      assert.isUndefined(leakIn(JSON.stringify(written)))
    })
  )

  it.effect("asks one symbol a call where there is no multi-price", () =>
    Effect.gen(function* () {
      const { asked, atRest, passUntilWritten, server, sweeper } = yield* setUp(codes(7), { multiPrice: false })
      server.answer(() => success({ stck_prpr: "100", acml_vol: "1" }))
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1)
      assert.deepStrictEqual(asked().slice(0, 7).flat().sort(), codes(7))
      assert.isTrue(asked().every((batch) => batch.length === 1))
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 7, answered: 7 })
      assert.strictEqual((yield* atRest("kis-rest")).stored, 7)
    })
  )

  it.effect("rests while the market is closed, and begins by itself when it opens", () =>
    Effect.gen(function* () {
      const { server, statusOf, sweeper } = yield* setUp(codes(3), { mode: "calendar" })
      yield* TestClock.setTime(openMs - 2 * 3_600_000)
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => statusOf().state === "closed", 1)
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(server.requests.length, 0)
      yield* passUntil(() => statusOf().lastAnswerAtMs !== undefined, 60_000)
      assert.isAtLeast(statusOf().lastAnswerAtMs ?? 0, openMs - 3_600_000)
    })
  )

  it.effect("ends with refused credentials, and with nothing else", () =>
    Effect.gen(function* () {
      const { server, sweeper } = yield* setUp(codes(3))
      server.answer(() => json({ rt_cd: "1", msg_cd: "EGW02004", msg1: "no" }, 500))
      const running = yield* Effect.forkScoped(Effect.flip(sweeper.run))
      yield* passUntil(() => running.pollUnsafe() !== undefined)
      assert.strictEqual((yield* Fiber.join(running))._tag, "KisCredentialsRejected")
    })
  )
})
