import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { WebSocket } from "ws"
import { until } from "../../support/virtualTime.ts"
import { approvalKey, frameOf, makeStage, registrationOf } from "../../support/streamStage.ts"

const code = "005930"
const match = { price: 300_000, volume: 313_469, hourClass: "B" } as const

describe("the book", () => {
  it.effect("outside auctions keeps the opening auction's volume and derives the rest from a price of 0", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STASP0", code)
      market.opened(code, { ...match, volume: 694_593 })
      market.book(code)
      market.step()
      const record = frameOf(yield* client.next).records[0] ?? []
      const base = market.issue(code).basePrice
      assert.strictEqual(record[2], "0")
      assert.deepStrictEqual(record.slice(47, 53), ["0", "0", "694593", String(-base), "5", "-100.00"])
    })
  )

  it.effect("in an auction has the expected match and its hour class", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STASP0", code)
      const { basePrice, upper } = market.issue(code)
      assert.isAbove(upper, basePrice + 1)
      market.expect(code, { price: basePrice + 1, volume: 77, hourClass: "C" })
      market.book(code)
      market.step()
      const record = frameOf(yield* client.next).records[0] ?? []
      assert.strictEqual(record[2], "C")
      assert.deepStrictEqual(record.slice(47, 53), [String(basePrice + 1), "77", "77", "1", "2", "0.00"])
    })
  )

  it.effect("has zeros where no level is left, as when nobody sells", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STASP0", code)
      market.issue(code).ask = 0
      market.book(code)
      market.step()
      const record = frameOf(yield* client.next).records[0] ?? []
      assert.deepStrictEqual(new Set([...record.slice(3, 13), ...record.slice(23, 33)]), new Set(["0"]))
      assert.notInclude(record.slice(13, 23), "0")
    })
  )
})

describe("H0STANC0", () => {
  it.effect("comes in auctions only; its volume goes up and down, and the last column is the previous close", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STANC0", code)
      market.trade(code)
      market.book(code)
      market.step()
      assert.deepStrictEqual(yield* client.rest, [])
      market.phaseIs("openingAuction")
      for (const volume of [64, 164, 120]) market.expect(code, { ...match, volume })
      market.step()
      const { columns, records } = frameOf(yield* client.next)
      assert.strictEqual(columns, 46)
      assert.deepStrictEqual(
        records.map((record) => [record[12], record[13], record[14], record[34], record[43], record[45]]),
        [
          ["64", "64", "19200000", "00", "B", String(market.issue(code).basePrice)],
          ["100", "164", "49200000", "00", "B", String(market.issue(code).basePrice)],
          ["44", "120", "36000000", "00", "B", String(market.issue(code).basePrice)]
        ]
      )
    })
  )

  it.effect("is plain text by default, and has a NUL and bytes that are no UTF-8 when asked for", () =>
    Effect.gen(function* () {
      for (const expectedBytes of ["clean", "asCaptured"] as const) {
        const { connect, market } = yield* makeStage({ stream: { expectedBytes } })
        const client = yield* connect()
        yield* client.ask("H0STANC0", code)
        market.expect(code, match)
        market.step()
        const text = yield* client.next
        assert.strictEqual(frameOf(text).columns, 46)
        assert.strictEqual(frameOf(text).records[0]?.[44], expectedBytes === "clean" ? "" : "\u0000\u00ff\u00b0")
        assert.strictEqual(text.includes("\u0000"), expectedBytes === "asCaptured")
      }
    })
  )

  it.effect("with such bytes ends a client that validates UTF-8, which then meets OPSP8996, as reported", () =>
    Effect.gen(function* () {
      const { connect, counters, market } = yield* makeStage({ stream: { expectedBytes: "asCaptured" } })
      const patient = yield* connect()
      const strict = yield* Effect.acquireRelease(
        Effect.promise(async (signal) => {
          const socket = new WebSocket(patient.socket.url)
          await once(socket, "open", { signal })
          return socket
        }),
        (socket) => Effect.sync(() => socket.terminate())
      )
      const failures: Array<string> = []
      strict.on("error", (error) => failures.push(error.message))
      strict.send(registrationOf(approvalKey("PSKEY"), "H0STANC0", code))
      yield* Effect.promise((signal) => once(strict, "message", { signal }))
      market.expect(code, match)
      market.step()
      yield* until(() => counters.sessions === 1)
      assert.deepStrictEqual(failures, ["Invalid WebSocket frame: invalid UTF-8 sequence"])
      assert.strictEqual((yield* patient.ask("H0STANC0", code)).body.msg_cd, "OPSP8996")
    })
  )
})

describe("a trade", () => {
  it.effect("of an auction has neither side, and leaves the counters as they were", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const client = yield* connect()
      yield* client.ask("H0STCNT0", code)
      market.trade(code, { side: "none", auction: true, size: 200_607, price: 272_000, hour: "090018" })
      market.step()
      const record = frameOf(yield* client.next).records[0] ?? []
      assert.deepStrictEqual(record.slice(15, 23), ["0", "0", "0", "0.00", "0", "0", "", "0.01"])
      assert.deepStrictEqual([record[24], record[34], record[45]], ["090018", "20", "272000"])
    })
  )
})

describe("market operations", () => {
  it.effect("of one issue reach its listeners, of one market the issues of that market", () =>
    Effect.gen(function* () {
      const { connect, market } = yield* makeStage()
      const kosdaq = market.view.issues.find(({ entry }) => entry.market === "KOSDAQ")?.entry.code ?? ""
      assert.notStrictEqual(kosdaq, "")
      const client = yield* connect()
      for (const symbol of [code, kosdaq]) yield* client.ask("H0STMKO0", symbol)
      const operation = { hour: "121012", expectedOperation: "112", reason: "", interrupted: false }
      market.operation({ ...operation, issueCode: code, market: undefined, operation: "AB1", halted: false })
      market.operation({ ...operation, issueCode: undefined, market: "KOSDAQ", operation: "AF8", halted: true })
      market.operation({ ...operation, issueCode: undefined, market: undefined, operation: "AF1", halted: false })
      market.step()
      const told = (yield* client.rest)
        .flatMap((text) => frameOf(text).records)
        .map((record) => record.slice(0, 5).join(" "))
      const asTold = [
        `${code} N (null) AB1`,
        `${code} N (null) AF1`,
        `${kosdaq} N (null) AF1`,
        `${kosdaq} Y (null) AF8`
      ]
      assert.deepStrictEqual(told.sort(), asTold.map((record) => `${record} 112`).sort())
    })
  )
})
