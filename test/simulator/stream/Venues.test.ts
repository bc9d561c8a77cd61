import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { frameOf, makeStage } from "../../support/streamStage.ts"

const listed = "000660"

describe("Nextrade", () => {
  it.effect("streams of an issue it does not list succeed and never send a frame", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const silent = market.view.issues.find(({ nxt, still }) => nxt === undefined && !still)?.entry.code ?? ""
      const client = yield* connect()
      const streams = ["H0UNCNT0", "H0NXCNT0", "H0UNASP0", "H0NXASP0", "H0NXMKO0"]
      for (const trId of streams) {
        assert.deepInclude((yield* client.ask(trId, silent)).body, { rt_cd: "0", msg1: "SUBSCRIBE SUCCESS" }, trId)
      }
      yield* client.ask("H0STCNT0", silent)
      const announced = {
        issueCode: undefined,
        market: undefined,
        hour: "100000",
        operation: "AF8",
        expectedOperation: "112",
        halted: true,
        reason: "",
        interrupted: false
      }
      for (let beat = 0; beat < 100; beat++) {
        market.trade(silent)
        market.book(silent)
        market.operation(announced)
        market.step()
      }
      const heard = new Set((yield* client.rest).map((text) => frameOf(text).trId))
      assert.deepStrictEqual([...heard], ["H0STCNT0"])
      // They hold their slots all the same, and can be given up.
      assert.strictEqual((yield* client.ask("H0UNCNT0", silent)).body.msg_cd, "OPSP0002")
      assert.strictEqual((yield* client.ask("H0UNCNT0", silent, { trType: "2" })).body.msg_cd, "OPSP0001")
    })
  )

  it.effect("and KRX each have their own trades, and the unified stream has both, each adding up by itself", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      for (const trId of ["H0STCNT0", "H0NXCNT0", "H0UNCNT0"]) yield* client.ask(trId, listed)
      for (let made = 0; made < 60; made++) {
        market.trade(listed, {
          venue: made % 3 === 0 ? "NXT" : "KRX",
          size: made + 1,
          side: made % 2 === 0 ? "buy" : "sell"
        })
        if (made % 7 === 0) market.step()
      }
      market.step()
      const records = new Map<string, Array<ReadonlyArray<number>>>()
      for (const text of yield* client.rest) {
        const { records: some, trId } = frameOf(text)
        records.set(trId, [...(records.get(trId) ?? []), ...some.map((record) => record.map(Number))])
      }
      assert.deepStrictEqual(
        ["H0STCNT0", "H0NXCNT0", "H0UNCNT0"].map((trId) => records.get(trId)?.length),
        [40, 20, 60]
      )
      for (const [trId, all] of records) {
        all.forEach((record, at) => {
          const rise = (column: number) => (record[column] ?? 0) - (all[at - 1]?.[column] ?? 0)
          assert.strictEqual(rise(13), record[12], trId)
          assert.strictEqual(rise(14), (record[12] ?? 0) * (record[2] ?? 0), trId)
          assert.strictEqual(rise(15) + rise(16), 1, trId)
          assert.strictEqual(record[17], (record[16] ?? 0) - (record[15] ?? 0), trId)
        })
      }
    })
  )

  it.effect("books carry its own volume, and the unified book the sum", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      for (const trId of ["H0STASP0", "H0NXASP0", "H0UNASP0"]) yield* client.ask(trId, listed)
      market.trade(listed, { size: 10 })
      market.trade(listed, { size: 4, venue: "NXT" })
      market.book(listed)
      market.step()
      const volumes = (yield* client.rest).map(frameOf).map(({ records, trId }) => [trId, records[0]?.[53]])
      assert.deepStrictEqual(Object.fromEntries(volumes), { H0STASP0: "10", H0NXASP0: "4", H0UNASP0: "14" })
    })
  )
})

describe("the single-price evening", () => {
  it.effect("is told by H0STOUP0 and not by H0STCNT0", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      market.to("20260911", "161000")
      const client = yield* connect()
      yield* client.ask("H0STCNT0", listed)
      yield* client.ask("H0STOUP0", listed)
      market.trade(listed, { size: 8, operationCode: "40", side: "none" })
      market.step()
      const frames = (yield* client.rest).map(frameOf)
      assert.deepStrictEqual(
        frames.map(({ records, trId }) => [trId, records[0]?.[13], records[0]?.[34]]),
        [["H0STOUP0", "8", "40"]]
      )
    })
  )
})
