import { NodeHttpClient } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import type { JournalRecord } from "../../src/domain/JournalRecord.ts"
import { makeSweep } from "../../src/feed/Sweep.ts"
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
const isForOne = ({ path }: SeenRequest) => path.endsWith("/inquire-price")
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
  const sweep = yield* Effect.provideContext(makeSweep(session, shards.deliver), room.context)
  const sweeperOf = (alias: string) =>
    Effect.provideContext(
      sweep.sweeperOf({ account: alias, callsPerSecond: 18, multiPrice: options.multiPrice ?? true, quotations }),
      room.context
    )
  const sweeper = yield* sweeperOf("main")
  yield* sweep.assign(symbols.map((symbol) => ({ symbol, target_ms: 10_000, planned_ms: 1_000 })))
  return {
    ...room,
    server,
    sweep,
    sweeper,
    statusOf: looked(sweeper.status),
    progressOf: looked(sweep.status),
    asked: () => server.requests.map(askedIn)
  }
})

const gapsOf = (cause: string, records: ReadonlyArray<JournalRecord>) =>
  ofKind(records, "gap").filter((record) => payloadOf(record)["cause"] === cause)

const passTurns = (turns: number, step_ms: number) => {
  let left = turns
  return passUntil(() => left-- <= 0, step_ms)
}

/** Whom quotes were written of: how often is a matter of how much virtual time has passed. */
const observedIn = (records: ReadonlyArray<JournalRecord>) =>
  [...new Set(ofKind(records, "quote").map(({ symbol }) => symbol ?? ""))].sort()

layer(NodeHttpClient.layerUndici)("a sweep", (it) => {
  it.effect("asks for every symbol in calls of 30 and writes a quote of each, and its summary", () =>
    Effect.gen(function* () {
      const symbols = codes(100)
      const { asked, atRest, passUntilWritten, progressOf, server, statusOf, sweeper } = yield* setUp(symbols)
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
      assert.isAtLeast(progressOf().rounds, 1)
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

  it.effect("asks again for a row that is missing, then alone, then names it once, with a gap, and goes on", () =>
    Effect.gen(function* () {
      const symbols = [...codes(40), "0000Y0"]
      const { atRest, passUntilWritten, progressOf, server, sweeper } = yield* setUp(symbols)
      // A call for one answers with zeros for what is not listed.
      server.answer((request) =>
        success(
          isForOne(request)
            ? { stck_prpr: "0", acml_vol: "0" }
            : askedIn(request)
                .filter((symbol) => symbol !== "0000Y0")
                .map((symbol) => rowOf(symbol))
        )
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 3)
      // Then no more for ten seconds.
      const askedFor = server.requests.filter((request) => askedIn(request).includes("0000Y0"))
      assert.deepStrictEqual(askedFor.slice(0, 3).map(isForOne), [false, false, true])
      assert.deepStrictEqual(
        gapsOf("notCovered", records).map(({ account, symbol }) => [account, symbol]),
        [["main", "0000Y0"]]
      )
      const [summary] = ofKind(records, "marker").map(payloadOf)
      assert.deepInclude(summary, { asked: 41, answered: 40, missing: ["0000Y0"] })
      assert.deepStrictEqual(progressOf().unknown, ["0000Y0"])
      const { rejected, tally, written } = yield* atRest("kis-rest")
      assert.isTrue(rejected > 0 && rejected === tally.rejected)
      assert.deepStrictEqual(observedIn(written), symbols.slice(0, 40))
    })
  )

  it.effect("repairs a row that calls for many leave out by a call for one, and asks alone from then on", () =>
    Effect.gen(function* () {
      const symbols = [...codes(40), "0000Y0"]
      const { atRest, passUntilWritten, progressOf, server, sweeper } = yield* setUp(symbols)
      server.answer((request) =>
        success(
          isForOne(request)
            ? { stck_prpr: "777", acml_vol: "9" }
            : askedIn(request)
                .filter((symbol) => symbol !== "0000Y0")
                .map((symbol) => rowOf(symbol))
        )
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 41, answered: 41, missing: [] })
      yield* passUntil(() => server.requests.filter(isForOne).length >= 2, 500)
      const askedFor = server.requests.filter((request) => askedIn(request).includes("0000Y0"))
      assert.deepStrictEqual(askedFor.slice(0, 4).map(isForOne), [false, false, true, true])
      const { written } = yield* atRest("kis-rest")
      assert.deepInclude(
        written.find(({ symbol }) => symbol === "0000Y0"),
        { kind: "quote", price: 777, cumVolume: 9 }
      )
      assert.deepStrictEqual([progressOf().unknown, ofKind(records, "gap")], [[], []])
    })
  )

  it.effect("answers everybody else when one symbol makes whole calls fail, and names that one", () =>
    Effect.gen(function* () {
      const symbols = codes(65)
      const sick = new Set(["001003", "001004", "001005", "001006", "001007", "001008"])
      const { atRest, passUntilWritten, server, statusOf, sweeper } = yield* setUp(symbols)
      server.answer((request) =>
        askedIn(request).some((symbol) => sick.has(symbol))
          ? json({ rt_cd: "1", msg_cd: "OPSQ2001", msg1: "no such thing" })
          : success(isForOne(request) ? { stck_prpr: "100" } : askedIn(request).map((symbol) => rowOf(symbol)))
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 2, 50)
      const [first, second] = ofKind(records, "marker").map(payloadOf)
      assert.deepInclude(first, { asked: 65, answered: 59 })
      assert.sameMembers(first?.["missing"] as Array<string>, [...sick])
      assert.deepInclude(second, { asked: 59, answered: 59, missing: [] })
      assert.sameMembers(
        gapsOf("notCovered", records).map(({ symbol }) => symbol),
        [...sick]
      )
      assert.strictEqual(statusOf().state, "ok")
      assert.strictEqual(observedIn((yield* atRest("kis-rest")).written).length, 59)
    })
  )

  it.effect("blames nobody when every call is refused, not even a symbol that was left out before", () =>
    Effect.gen(function* () {
      const { passUntilWritten, progressOf, records, server, statusOf, sweeper } = yield* setUp(codes(65))
      let isOut = false
      server.answer((request) =>
        isOut || isForOne(request)
          ? json({ rt_cd: "1", msg_cd: "EGW00300", msg1: "down" }, 500)
          : success(
              askedIn(request)
                .filter((symbol) => symbol !== "001000")
                .map((symbol) => rowOf(symbol))
            )
      )
      const askedTwice = () => server.requests.filter((request) => askedIn(request).includes("001000")).length >= 2
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => (isOut ||= askedTwice()), 1)
      yield* passUntil(() => statusOf().state === "degraded", 50)
      yield* passTurns(240, 500)
      assert.strictEqual(statusOf().state, "degraded")
      assert.deepStrictEqual(progressOf().unknown, [])
      assert.deepStrictEqual(ofKind(yield* records, "gap"), [])
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1, 500)
      assert.strictEqual(statusOf().state, "ok")
    })
  )

  it.effect("takes a row that comes at the second asking, and names nobody", () =>
    Effect.gen(function* () {
      const { passUntilWritten, server, progressOf, sweeper } = yield* setUp(codes(3))
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
      assert.deepStrictEqual(progressOf().unknown, [])
    })
  )

  it.effect("refuses rows nobody asked for, a known symbol's too, and rows without a code", () =>
    Effect.gen(function* () {
      const symbols = codes(31)
      const { atRest, passUntilWritten, server, progressOf, sweeper } = yield* setUp(symbols)
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
      yield* passUntil(() => progressOf().rounds >= 1)
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
      const { atRest, passUntilWritten, progressOf, server, statusOf, sweeper } = yield* setUp(codes(65))
      server.answer(() => json({}, 502))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => statusOf().state === "degraded", 50)
      assert.include(statusOf().reason ?? "", "the broker cannot be reached")
      assert.isUndefined(progressOf().lastAnswerAtMs)
      const calls = server.requests.length
      yield* TestClock.adjust(1)
      assert.isAtMost(server.requests.length - calls, 4)
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1, 100)
      assert.strictEqual(statusOf().state, "ok")
      assert.isUndefined(statusOf().reason)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 65, answered: 65, missing: [] })
      assert.deepStrictEqual(observedIn((yield* atRest("kis-rest")).written), codes(65))
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

  it.effect("names a symbol that is refused, or answered with zeros, where there is no multi-price", () =>
    Effect.gen(function* () {
      const { passUntilWritten, progressOf, server, statusOf, sweeper } = yield* setUp(codes(7), { multiPrice: false })
      server.answer((request) =>
        askedIn(request)[0] === "001002"
          ? json({ rt_cd: "1", msg_cd: "OPSQ2001", msg1: "no such thing" })
          : success({ stck_prpr: askedIn(request)[0] === "001004" ? "0" : "100", acml_vol: "1" })
      )
      yield* Effect.forkScoped(sweeper.run)
      const records = yield* passUntilWritten((written) => ofKind(written, "marker").length >= 1, 50)
      assert.deepInclude(payloadOf(ofKind(records, "marker")[0]), { asked: 7, answered: 5 })
      assert.sameMembers([...progressOf().unknown], ["001002", "001004"])
      assert.strictEqual(gapsOf("notCovered", records).length, 2)
      assert.strictEqual(statusOf().state, "ok")
    })
  )

  it.effect("rests while the market is closed, and begins by itself when it opens", () =>
    Effect.gen(function* () {
      const { progressOf, server, statusOf, sweeper } = yield* setUp(codes(3), { mode: "calendar" })
      yield* TestClock.setTime(openMs - 2 * 3_600_000)
      server.answer((request) => success(askedIn(request).map((symbol) => rowOf(symbol))))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => statusOf().state === "closed", 1)
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(server.requests.length, 0)
      yield* passUntil(() => progressOf().lastAnswerAtMs !== undefined, 60_000)
      assert.isAtLeast(progressOf().lastAnswerAtMs ?? 0, openMs - 3_600_000)
    })
  )

  it.effect("pauses for as long as the broker's code asks for, a minute and more where it may be a block", () =>
    Effect.gen(function* () {
      const { server, sweeper } = yield* setUp(codes(300))
      server.answer(() => json({ rt_cd: "1", msg_cd: "EGW00003", msg1: "access denied" }, 500))
      yield* Effect.forkScoped(sweeper.run)
      yield* passUntil(() => server.requests.length === 4)
      yield* passTurns(100, 500)
      // One call of each of its workers; none of them has asked again.
      assert.strictEqual(server.requests.length, 4)
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
