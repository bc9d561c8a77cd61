import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { until } from "../../support/virtualTime.ts"
import { makeStage } from "../../support/streamStage.ts"

const code = "005930"

describe("the slots of a session", () => {
  it.effect("are 41, counted per TR and symbol, whatever the stream", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      const codes = market.view.issues.map(({ entry }) => entry.code)
      const wanted: ReadonlyArray<readonly [trId: string, trKey: string]> = [
        ["H0UPCNT0", "0001"],
        ["H0STCNI0", "someone1"],
        ["H0STMKO0", code],
        ...codes.slice(0, 19).map((symbol) => ["H0STCNT0", symbol] as const),
        ...codes.slice(0, 19).map((symbol) => ["H0STASP0", symbol] as const)
      ]
      assert.strictEqual(wanted.length, 41)
      for (const [trId, trKey] of wanted) {
        assert.strictEqual((yield* client.ask(trId, trKey)).body.msg_cd, "OPSP0000", `${trId} ${trKey}`)
      }
      assert.deepInclude((yield* client.ask("H0STCNT0", codes[30] ?? "")).body, {
        rt_cd: "1",
        msg_cd: "OPSP0008",
        msg1: "MAX SUBSCRIBE OVER"
      })
      yield* client.ask("H0UPCNT0", "0001", { trType: "2" })
      assert.strictEqual((yield* client.ask("H0STCNT0", codes[30] ?? "")).body.msg_cd, "OPSP0000")
    })
  )
})

describe("the seat of an app key", () => {
  const endings: ReadonlyArray<readonly [words: string, code: number | undefined, isFree: boolean]> = [
    ["a normal close", 1000, true],
    ["a close for invalid data", 1007, false],
    ["no close frame", undefined, false]
  ]
  for (const [words, closeCode, isFree] of endings) {
    it.effect(`is ${isFree ? "free at once" : "held for five seconds"} after ${words}`, () =>
      Effect.gen(function* () {
        const { connect, counters } = yield* makeStage()
        const holder = yield* connect()
        yield* holder.ask("H0STCNT0", code)
        const newcomer = yield* connect()
        assert.strictEqual((yield* newcomer.ask("H0STCNT0", code)).body.msg_cd, "OPSP8996")
        if (closeCode === undefined) holder.socket.terminate()
        else holder.socket.close(closeCode)
        yield* until(() => counters.sessions === 1)
        const first = yield* newcomer.ask("H0STCNT0", code)
        assert.strictEqual(first.body.msg_cd, isFree ? "OPSP0000" : "OPSP8996")
        if (isFree) return
        assert.deepStrictEqual(first.header, { tr_id: "(null)", tr_key: "", encrypt: "N" })
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual((yield* newcomer.ask("H0STCNT0", code)).body.msg_cd, "OPSP8996")
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* newcomer.ask("H0STCNT0", code)).body.msg_cd, "OPSP0000")
      })
    )
  }

  it.effect("is not taken by a mere connection", () =>
    Effect.gen(function* () {
      const { connect } = yield* makeStage()
      yield* connect()
      yield* connect()
      const third = yield* connect()
      assert.strictEqual((yield* third.ask("H0STCNT0", code)).body.msg_cd, "OPSP0000")
    })
  )
})

describe("a client", () => {
  it.effect("has its own pings answered", () =>
    Effect.gen(function* () {
      const { connect } = yield* makeStage()
      const client = yield* connect()
      yield* client.heard
      yield* client.heard
    })
  )

  it.effect("is probed with PINGPONG only when nothing else was sent for ten seconds", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      for (let second = 0; second < 30; second++) {
        market.trade(code)
        market.step(1_000)
        yield* TestClock.adjust("1 second")
      }
      const texts = yield* client.rest
      assert.strictEqual(texts.length, 30)
      assert.notInclude(texts.join(), "PINGPONG")
      yield* TestClock.adjust("10 seconds")
      assert.match(yield* client.next, /^\{"header":\{"tr_id":"PINGPONG","datetime":"20261124100030"\}\}$/)
    })
  )
})
