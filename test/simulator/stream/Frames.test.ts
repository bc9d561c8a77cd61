import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { FrameTap, Parcel } from "../../../src/simulator/stream/FrameTap.ts"
import { capturedFrames } from "../../support/samples.ts"
import { frameOf, makeStage, type StageClient } from "../../support/streamStage.ts"

const code = "005930"
const other = "000660"
const passing: FrameTap = { outgoing: (_session, { untouched }) => untouched, refusal: () => undefined }
const framesOf = (client: StageClient) => Effect.map(client.rest, (texts) => texts.map(frameOf))

describe("frames", () => {
  it.effect("hold the records of one symbol of one beat of 200 ms, and wait for its end", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      yield* client.ask("H0STCNT0", other)
      market.step()
      for (const symbol of [code, other, code, code]) market.trade(symbol)
      market.step(100)
      market.trade(code)
      market.step(100)
      const [first, second, third] = yield* framesOf(client)
      assert.deepStrictEqual([first?.count, first?.records[0]?.[0]], [3, code])
      assert.deepStrictEqual([second?.count, second?.records[0]?.[0]], [1, other])
      assert.isUndefined(third)
      market.step()
      assert.deepStrictEqual(
        (yield* framesOf(client)).map(({ count }) => count),
        [1]
      )
    })
  )

  it.effect("hold twenty records at most: a longer burst goes on in the next, and nothing is lost", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      for (let made = 0; made < 53; made++) market.trade(code, { size: made + 1 })
      market.step()
      const frames = yield* framesOf(client)
      assert.deepStrictEqual(
        frames.map(({ count }) => count),
        [20, 20, 13]
      )
      const records = frames.flatMap((frame) => frame.records)
      records.forEach((record, at) => {
        assert.strictEqual(Number(record[12]), at + 1)
        assert.strictEqual(Number(record[13]) - Number(records[at - 1]?.[13] ?? 0), at + 1)
      })
    })
  )

  it.effect(
    "have equal ASKP1 and BIDP1 in all their records, as every captured one: changed quotes begin another",
    () =>
      Effect.gen(function* () {
        for (const { frame, tr } of capturedFrames.filter(({ tr }) => tr === "H0STCNT0")) {
          const quotes = frameOf(frame).records.map((record) => `${record[10]} ${record[11]}`)
          assert.strictEqual(new Set(quotes).size, 1, tr)
        }
        const { connect, market } = yield* makeStage()
        const client = yield* connect()
        yield* client.ask("H0STCNT0", code)
        const issue = market.issue(code)
        market.trade(code)
        market.trade(code)
        issue.bid = issue.ask
        issue.ask = issue.grid.up(issue.bid)
        market.trade(code)
        market.step()
        const frames = yield* framesOf(client)
        assert.deepStrictEqual(
          frames.map(({ count }) => count),
          [2, 1]
        )
        for (const { records } of frames) assert.strictEqual(new Set(records.map((record) => record[10])).size, 1)
      })
  )

  it.effect("of the book have one record, come behind the trades of their beat, and name the trade they follow", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STASP0", code)
      yield* client.ask("H0STCNT0", code)
      for (let beat = 0; beat < 5; beat++) {
        market.book(code)
        market.trade(code, { size: 7 })
        market.book(code)
        market.trade(code, { size: 3 })
        market.step()
      }
      const frames = yield* framesOf(client)
      assert.deepStrictEqual(
        frames.map(({ count, trId }) => `${trId} ${count}`),
        Array.from({ length: 5 }, () => ["H0STCNT0 2", "H0STASP0 1"]).flat()
      )
      for (let at = 0; at < frames.length; at += 2) {
        assert.strictEqual(frames[at]?.records.at(-1)?.[13], frames[at + 1]?.records[0]?.[53])
      }
    })
  )

  it.effect("of trades come once more, the last of each symbol, a minute after the close", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      market.phaseIs("closingAuction")
      market.trade(code, { side: "none", auction: true, size: 500 })
      market.step()
      market.phaseIs("afterClose")
      market.pass(59_000)
      const last = yield* client.next
      assert.deepStrictEqual(yield* client.rest, [])
      market.pass(5_000)
      assert.deepStrictEqual(yield* client.rest, [last])
      market.pass(120_000)
      assert.deepStrictEqual(yield* client.rest, [])
    })
  )

  it.effect("after an interruption of the whole market are not repeated", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      market.trade(code)
      market.step()
      market.phaseIs("halt")
      market.pass(300_000)
      assert.strictEqual((yield* client.rest).length, 1)
    })
  )
})

describe("a tap", () => {
  it.effect("sees every message once a session, with the volumes of its records, and is obeyed to the byte", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const tap: FrameTap = {
        ...passing,
        outgoing: ({ id }, message) => {
          if (message._tag !== "Records") return message.untouched
          seen.push(`${id} ${message.trId} ${message.trKey} ${message.cumVolumes.join(",")}`)
          return [...message.untouched, { data: Buffer.from([0x30, 0xff, 0x00]), records: 0 }]
        }
      }
      const { connect, counters, market } = yield* makeStage({ tap })
      const clients = [yield* connect("PSA"), yield* connect("PSB")] as const
      for (const client of clients) yield* client.ask("H0STCNT0", code)
      market.trade(code, { size: 5 })
      market.trade(code, { size: 6 })
      market.step()
      for (const client of clients) {
        assert.strictEqual(frameOf(yield* client.next).count, 2)
        assert.strictEqual(yield* client.next, "0\u00ff\u0000")
      }
      assert.deepStrictEqual(seen, ["1 H0STCNT0 005930 5,11", "2 H0STCNT0 005930 5,11"])
      assert.deepInclude(counters, { framesSent: 4, recordsSent: 4 })
    })
  )

  it.effect("can send nothing, send later, and cut", () =>
    Effect.gen(function* () {
      const answers: Array<ReadonlyArray<Parcel> | "cut"> = [
        [],
        [{ data: "late", records: 0, delay_ms: 1_000 }],
        [{ data: "now", records: 0 }],
        "cut"
      ]
      const tap: FrameTap = {
        ...passing,
        outgoing: (_session, { _tag, untouched }) => (_tag === "Records" ? (answers.shift() ?? untouched) : untouched)
      }
      const { connect, counters, market } = yield* makeStage({ tap })
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      const trade = Effect.sync(() => {
        market.trade(code)
        market.step()
      })
      yield* Effect.repeat(trade, { times: 2 })
      assert.deepStrictEqual(yield* client.rest, ["now"])
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(yield* client.rest, [])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* client.next, "late")
      yield* trade
      assert.strictEqual(yield* client.closed, 1006)
      assert.strictEqual(counters.slowClientsCut, 0)
    })
  )

  it.effect("can hold ten thousand parcels back at most; what is more goes out at once", () =>
    Effect.gen(function* () {
      const parcels = Array.from({ length: 10_001 }, (_, at) => ({ data: `${at}`, records: 0, delay_ms: 1_000 }))
      const tap: FrameTap = {
        ...passing,
        outgoing: (_session, { _tag, untouched }) => (_tag === "Records" ? parcels : untouched)
      }
      const { connect, market } = yield* makeStage({ tap })
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      for (let round = 0; round < 2; round++) {
        market.trade(code)
        market.step()
        assert.deepStrictEqual(yield* client.rest, ["10000"])
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* client.rest).length, 10_000)
      }
    })
  )
})
