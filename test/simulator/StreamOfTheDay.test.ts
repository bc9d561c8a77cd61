import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { clockOptions } from "../../src/simulator/market/ClockOptions.ts"
import { type DecodedFrame, frameOf } from "../support/streamStage.ts"
import { approvalOf, connect, registration } from "./client.ts"

const code = "005930"
const streams: ReadonlyArray<readonly [trId: string, trKey: string, columns: number]> = [
  ["H0STCNT0", code, 47],
  ["H0STASP0", code, 63],
  ["H0STANC0", code, 46],
  ["H0UPCNT0", "2001", 30],
  ["H0UNCNT0", code, 47],
  ["H0NXCNT0", code, 47],
  ["H0UNASP0", code, 66],
  ["H0NXASP0", code, 65]
]

/** From a few seconds before the opening auction ends into continuous trading on both venues. */
const morning = Exchange.layer({
  seed: 3,
  tradesPerSecond: 2_000,
  clock: {
    ...clockOptions,
    hours: "calendar",
    beginsAtMs: marketInstant("20261124", "085940")
  }
})

describe("the streams of the exchange's own market", () => {
  it.effect(
    "go through the opening together: expected matches, one print without a side, trades that add up, books that follow them",
    () =>
      Effect.gen(function* () {
        const key = yield* approvalOf("PSKEY")
        const client = yield* connect()
        for (const [trId, trKey] of streams) {
          client.send(registration(key, trKey, "1", trId))
          assert.include(yield* client.next, "SUBSCRIBE SUCCESS")
        }
        yield* TestClock.adjust("120 seconds")
        const { framesSent } = yield* (yield* Exchange).stats
        const frames: Array<DecodedFrame> = []
        for (let taken = 0; taken < framesSent; taken++) frames.push(frameOf(yield* client.next))

        for (const [trId, , columns] of streams) {
          const own = frames.filter((frame) => frame.trId === trId)
          assert.isAbove(own.length, 0, trId)
          for (const frame of own) {
            assert.strictEqual(frame.columns, columns, trId)
            for (const record of frame.records) assert.notMatch(record.join("^"), /NaN|undefined|Infinity|null/)
          }
        }
        const recordsOf = (trId: string) =>
          frames.filter((frame) => frame.trId === trId).flatMap((frame) => frame.records)

        const [print = [], ...trades] = recordsOf("H0STCNT0")
        assert.deepStrictEqual([print[21], print[15], print[16]], ["", "0", "0"])
        assert.strictEqual(print[2], print[7])
        let last = print
        for (const trade of trades) {
          const rise = (column: number) => Number(trade[column]) - Number(last[column])
          assert.strictEqual(rise(13), Number(trade[12]))
          assert.strictEqual(rise(14), Number(trade[12]) * Number(trade[2]))
          assert.strictEqual(rise(15) + rise(16), 1)
          last = trade
        }

        const expected = recordsOf("H0STANC0")
        assert.isTrue(expected.every((record) => (record[1] ?? "") <= (print[1] ?? "")))
        assert.isTrue(expected.every((record) => record[43] === "B" || record[43] === "C"))

        const volumes = new Set(recordsOf("H0STCNT0").map((record) => record[13]))
        const books = recordsOf("H0STASP0").filter((record) => (record[1] ?? "") > (print[1] ?? ""))
        assert.isAbove(books.length, 0)
        for (const book of books) {
          assert.isTrue(volumes.has(book[53]), `a book follows ${book[53]}`)
          assert.deepStrictEqual([book[47], book[49]], ["0", print[12]])
        }
      }).pipe(Effect.provide(morning)),
    60_000
  )
})
