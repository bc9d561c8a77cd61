import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { once } from "node:events"
import type { WebSocket } from "ws"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { exchangeOptions } from "../../src/simulator/ExchangeOptions.ts"
import { approvalOf, connect, registration } from "./client.ts"
import { sample, universe } from "./fixtures.ts"

const columns = 47
const busy = { tradesPerSecond: 40_000 }
const first = "000660"
const second = "005930"
const { stream: rules } = exchangeOptions({})
/** An exchange opened on a day of 47 columns. */
const today = (given: Parameters<typeof Exchange.layer>[0]) =>
  Layer.unwrap(Effect.as(TestClock.setTime(marketInstant("20261124", "100000") ?? 0), Exchange.layer(given)))
const ponged = (socket: WebSocket) => Effect.promise((signal) => once(socket, "pong", { signal }))

interface Ack {
  readonly header: { readonly tr_id: string; readonly tr_key: string; readonly encrypt: string }
  readonly body: { readonly rt_cd: string; readonly msg_cd: string; readonly msg1: string; readonly output?: Cipher }
}
interface Cipher {
  readonly iv: string
  readonly key: string
}
const ackOf = (text: string) => JSON.parse(text) as Ack
const codeOf = (text: string) => ackOf(text).body.msg_cd

interface Control {
  readonly kind: string
  readonly frame: string
}
const controls = sample("ws-control.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Control)

/** Every scalar replaced by its type, so that only the shape is left. */
const shapeOf = (text: string) =>
  JSON.stringify(JSON.parse(text), (_key, value) => (typeof value === "string" ? "" : value))

const recordsOf = (frame: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [kind, trId, count, ...rest] = frame.split("|")
  assert.deepStrictEqual([kind, trId, rest.length], ["0", "H0STCNT0", 1])
  assert.match(count ?? "", /^\d{3}$/)
  const values = (rest[0] ?? "").split("^")
  assert.strictEqual(values.length, Number(count) * columns)
  return Array.from({ length: Number(count) }, (_, at) => values.slice(at * columns, (at + 1) * columns))
}

describe("registrations", () => {
  it.effect("are acknowledged in the captured shape, with one cipher for the whole session", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect("/")
      client.send(registration(key, first))
      const ack = yield* client.next
      const captured = controls.find(({ kind }) => kind === "ack")?.frame ?? ""
      assert.strictEqual(shapeOf(ack), shapeOf(captured))
      assert.deepStrictEqual(ackOf(ack).header, { tr_id: "H0STCNT0", tr_key: first, encrypt: "N" })
      assert.deepInclude(ackOf(ack).body, { rt_cd: "0", msg_cd: "OPSP0000", msg1: "SUBSCRIBE SUCCESS" })
      assert.strictEqual(ackOf(ack).body.output?.iv.length, 16)
      assert.strictEqual(ackOf(ack).body.output?.key.length, 32)
      client.send(registration(key, second))
      assert.deepStrictEqual(ackOf(yield* client.next).body.output, ackOf(ack).body.output)
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("are refused twice over, beyond the slots, and unregistered only once", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      const codes = universe.slice(200, 204).map(({ code }) => code)
      const ask = (code: string, trType = "1") =>
        Effect.andThen(
          Effect.sync(() => client.send(registration(key, code, trType))),
          client.next
        )
      for (const code of codes.slice(0, 3)) assert.strictEqual(codeOf(yield* ask(code)), "OPSP0000")
      assert.strictEqual(codeOf(yield* ask(codes[0] ?? "")), "OPSP0002")
      assert.deepInclude(ackOf(yield* ask(codes[3] ?? "")).body, {
        rt_cd: "1",
        msg_cd: "OPSP0008",
        msg1: "MAX SUBSCRIBE OVER"
      })
      assert.deepInclude(ackOf(yield* ask(codes[0] ?? "", "2")).body, { rt_cd: "0", msg_cd: "OPSP0001" })
      assert.deepInclude(ackOf(yield* ask(codes[0] ?? "", "2")).body, {
        rt_cd: "1",
        msg_cd: "OPSP0003",
        msg1: "UNSUBSCRIBE ERROR(not found!)"
      })
      assert.strictEqual(codeOf(yield* ask(codes[3] ?? "")), "OPSP0000")
    }).pipe(Effect.provide(Exchange.layer({ slots: 3, tradesPerSecond: 0 })))
  )

  it.effect("that cannot be read are answered with the code of what is wrong, and the session goes on", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      const header = { approval_key: key, custtype: "P", tr_type: "1" }
      const input = { tr_id: "H0STCNT0", tr_key: first }
      const cases: ReadonlyArray<readonly [text: string, code: string]> = [
        ["not json", "OPSP9999"],
        ["[]", "OPSP9999"],
        [JSON.stringify({ body: { input } }), "OPSP9998"],
        [JSON.stringify({ header: { ...header, custtype: undefined }, body: { input } }), "OPSP9997"],
        [JSON.stringify({ header: { ...header, custtype: "X" }, body: { input } }), "OPSP8998"],
        [JSON.stringify({ header: { ...header, tr_type: "3" }, body: { input } }), "OPSP8997"],
        [JSON.stringify({ header }), "OPSP9992"],
        [JSON.stringify({ header, body: {} }), "OPSP9991"],
        [JSON.stringify({ header, body: { input: { tr_id: "H0STCNT0" } } }), "OPSP9990"],
        [registration("11111111-1111-4111-a111-111111111111", first), "OPSP0011"],
        [registration(key, first, "1", "H0XXXXXX"), "OPSP8991"],
        [registration(key, "999999"), "OPSP8992"],
        [registration(key, first), "OPSP0000"]
      ]
      for (const [text, code] of cases) {
        client.send(text)
        assert.strictEqual(codeOf(yield* client.next), code, text)
      }
      const { stats } = yield* Exchange
      assert.strictEqual((yield* stats).streamRefusalsByCode["OPSP9999"], 2)
    }).pipe(Effect.provide(Exchange.layer()))
  )
})

describe("trades", () => {
  it.effect("come in frames of 47 columns, one symbol a frame, twenty records at most, none missing", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      client.send(registration(key, first))
      yield* client.next
      yield* TestClock.adjust("1 second")
      const { stats } = yield* Exchange
      const { framesSent, recordsSent } = yield* stats
      assert.isAbove(framesSent, 10)
      const counts: Array<number> = []
      let last: ReadonlyArray<string> | undefined
      for (let taken = 0; taken < framesSent; taken++) {
        const records = recordsOf(yield* client.next)
        counts.push(records.length)
        for (const record of records) {
          const value = (column: number) => Number(record[column])
          assert.strictEqual(record[0], first)
          assert.strictEqual(record[46], "2")
          assert.include(["1", "5"], record[21])
          assert.strictEqual(value(17), value(16) - value(15))
          if (last !== undefined) {
            const rise = (column: number) => value(column) - Number(last?.[column])
            assert.strictEqual(rise(13), value(12))
            assert.strictEqual(rise(14), value(12) * value(2))
            assert.strictEqual(rise(15) + rise(16), 1)
            assert.strictEqual(rise(record[21] === "1" ? 20 : 19), value(12))
          }
          last = record
        }
      }
      assert.strictEqual(
        counts.reduce((sum, count) => sum + count, 0),
        recordsSent
      )
      assert.strictEqual(Math.max(...counts), 20)
    }).pipe(Effect.provide(today(busy)))
  )

  it.effect("are written column by column like the captured frames", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      client.send(registration(key, first))
      yield* client.next
      yield* TestClock.adjust("200 millis")
      const [record = []] = recordsOf(yield* client.next)
      const kindOf = (value: string) =>
        value === "" ? "blank" : /^-?\d+\.\d\d$/.test(value) ? "decimal" : /^-?\d+$/.test(value) ? "whole" : value
      for (const line of sample("h0stcnt0-47.jsonl").trim().split("\n")) {
        for (const captured of recordsOf((JSON.parse(line) as { readonly frame: string }).frame)) {
          assert.deepStrictEqual(record.map(kindOf), captured.map(kindOf))
        }
      }
    }).pipe(Effect.provide(today(busy)))
  )

  it.effect("stop with the registration", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      client.send(registration(key, first))
      yield* client.next
      client.send(registration(key, first, "2"))
      assert.strictEqual(codeOf(yield* client.next), "OPSP0001")
      yield* TestClock.adjust("1 second")
      const { stats } = yield* Exchange
      assert.deepInclude(yield* stats, { framesSent: 0, recordsSent: 0 })
      client.send(registration(key, second))
      assert.strictEqual(codeOf(yield* client.next), "OPSP0000")
    }).pipe(Effect.provide(today(busy)))
  )
})

describe("sessions", () => {
  it.effect("are one per app key: a newcomer meets OPSP8996 until a clean close frees the seat at once", () =>
    Effect.gen(function* () {
      const key = yield* approvalOf("PSKEY")
      const holder = yield* connect()
      holder.send(registration(key, first))
      yield* holder.next
      const newcomer = yield* connect()
      newcomer.send(registration(key, first))
      const refusal = ackOf(yield* newcomer.next)
      assert.deepStrictEqual(refusal, {
        header: { tr_id: "(null)", tr_key: "", encrypt: "N" },
        body: { rt_cd: "9", msg_cd: "OPSP8996", msg1: "ALREADY IN USE appkey" }
      })
      const stranger = yield* connect()
      stranger.send(registration(yield* approvalOf("PSOTHER"), first))
      assert.strictEqual(codeOf(yield* stranger.next), "OPSP0000")
      holder.socket.close(1000)
      assert.strictEqual(yield* holder.closed, 1000)
      newcomer.send(registration(key, first))
      assert.strictEqual(codeOf(yield* newcomer.next), "OPSP0000")
    }).pipe(Effect.provide(Exchange.layer()))
  )

  it.effect("leave their seat taken for a while after an abrupt close", () =>
    Effect.gen(function* () {
      const { stats } = yield* Exchange
      const key = yield* approvalOf("PSKEY")
      const holder = yield* connect()
      holder.send(registration(key, first))
      yield* holder.next
      holder.socket.terminate()
      yield* holder.closed
      const newcomer = yield* connect()
      const ask = Effect.andThen(
        Effect.sync(() => newcomer.send(registration(key, first))),
        newcomer.next
      )
      assert.strictEqual(codeOf(yield* ask), "OPSP8996")
      // The exchange has seen the close once only the newcomer is left; from then on the seat is held for five seconds.
      yield* Effect.repeat(
        Effect.andThen(
          Effect.sync(() => newcomer.socket.ping()),
          ponged(newcomer.socket)
        ),
        {
          until: () => Effect.map(stats, ({ sessions }) => sessions === 1)
        }
      )
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(codeOf(yield* ask), "OPSP8996")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(codeOf(yield* ask), "OPSP0000")
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0 })))
  )

  const answers: ReadonlyArray<readonly [words: string, answer: (socket: WebSocket, probe: string) => void]> = [
    ["echoes the text", (socket, probe) => socket.send(probe)],
    ["sends it back as an RFC pong", (socket, probe) => socket.pong(probe)]
  ]
  for (const [words, answer] of answers) {
    it.effect(`are probed with PINGPONG when idle and stay open while the client ${words}`, () =>
      Effect.gen(function* () {
        const client = yield* connect()
        const captured = controls.find(({ kind }) => kind === "pingpong")?.frame ?? ""
        for (let round = 0; round < 12; round++) {
          yield* TestClock.adjust("10 seconds")
          const probe = yield* client.next
          assert.strictEqual(shapeOf(probe), shapeOf(captured))
          answer(client.socket, probe)
          // Frames of one client are handled in order: the answer was heard once this ping is.
          client.socket.ping()
          yield* ponged(client.socket)
        }
        const { stats } = yield* Exchange
        assert.deepInclude(yield* stats, { sessions: 1, silentClientsCut: 0 })
      }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0 })))
    )
  }

  it.effect("are cut when PINGPONG stays unanswered for 100 s", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      yield* TestClock.adjust("10 seconds")
      assert.include(yield* client.next, "PINGPONG")
      yield* TestClock.adjust("99 seconds")
      const { stats } = yield* Exchange
      assert.strictEqual((yield* stats).silentClientsCut, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* client.closed, 1006)
      assert.strictEqual((yield* stats).silentClientsCut, 1)
    }).pipe(Effect.provide(Exchange.layer({ tradesPerSecond: 0 })))
  )

  it.effect("are cut, and counted, when the client does not read what is sent", () =>
    Effect.gen(function* () {
      const { stats } = yield* Exchange
      const key = yield* approvalOf("PSKEY")
      const client = yield* connect()
      client.send(registration(key, first))
      yield* client.next
      client.socket.pause()
      yield* Effect.repeat(TestClock.adjust("1 second"), {
        until: () => Effect.map(stats, ({ slowClientsCut }) => slowClientsCut === 1)
      })
      client.socket.resume()
      assert.strictEqual(yield* client.closed, 1006)
    }).pipe(
      Effect.provide(Exchange.layer({ tradesPerSecond: 100_000, stream: { ...rules, bufferedBytesMax: 100_000 } }))
    )
  )
})
