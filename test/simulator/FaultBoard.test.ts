import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { ownerOf } from "../../src/simulator/desk/approvalKey.ts"
import type { Fault } from "../../src/simulator/faults/Fault.ts"
import { makeFaultBoard, type Now } from "../../src/simulator/faults/FaultBoard.ts"

const at = (seconds: number): Now => ({ realMs: seconds * 1_000, marketMs: seconds * 1_000 })

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))
const Timing = Schema.Struct({
  from: Schema.optionalKey(small(10)),
  for: Schema.optionalKey(small(10)),
  count: Schema.optionalKey(small(4)),
  symbol: Schema.Literals(["005930", "000660"])
})
const Events = Schema.Array(
  Schema.Struct({
    wait: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
    symbol: Schema.Literals(["005930", "000660"])
  })
)

describe("the fault board", () => {
  it.prop(
    "strikes from, for and as often as each fault says, in the order of posting",
    [Schema.Array(Timing), Events],
    ([timings, events]) => {
      const board = makeFaultBoard(1)
      const left = timings.map(({ count }) => count ?? Number.POSITIVE_INFINITY)
      for (const { symbol, ...fault } of timings) board.post({ fault: "drop", ...fault, where: { symbol } }, at(0))
      let now = 0
      for (const { symbol, wait } of events) {
        now += wait
        // The rule in its own words.
        const expected = timings.findIndex(
          ({ for: seconds = Number.POSITIVE_INFINITY, from = 0, symbol: wanted }, index) => {
            const isNow = now >= from && now < from + seconds
            return isNow && wanted === symbol && (left[index] ?? 0) > 0
          }
        )
        if (expected !== -1) left[expected] = (left[expected] ?? 0) - 1
        const struck = board.first(["drop"], { symbols: [symbol] }, at(now))
        assert.strictEqual(struck?.id, expected === -1 ? undefined : expected + 1)
      }
    }
  )

  const matches = (where: Fault["where"] & {}, subject: object) =>
    makeOne({ fault: "drop", where }).first(["drop"], subject, at(0)) !== undefined
  const makeOne = (fault: Fault) => {
    const board = makeFaultBoard(1)
    board.post(fault, at(0))
    return board
  }

  it("strikes only what fits every selector", () => {
    const call = { path: "/uapi/x", tr: "FHKST11300006", owner: ownerOf("PSKEY"), symbols: ["005930", "000660"] }
    assert.isTrue(matches({}, call))
    assert.isTrue(matches({ path: "/uapi", tr: "FHKST11300006", key: "PSKEY", symbol: ["000660"] }, call))
    assert.isTrue(matches({ key: ownerOf("PSKEY") }, call))
    assert.isFalse(matches({ path: "/oauth2" }, call))
    assert.isFalse(matches({ tr: "FHKST01010100" }, call))
    assert.isFalse(matches({ key: "PSOTHER" }, call))
    assert.isFalse(matches({ symbol: "035720" }, call))
    assert.isFalse(matches({ symbol: "005930" }, {}))
  })

  it("strikes a share of its chances, the same ones for the same seed, whatever other faults there are", () => {
    const struck = (seed: number, others: number) => {
      const board = makeFaultBoard(seed)
      board.post({ fault: "drop", rate: 0.25 }, at(0))
      for (let other = 0; other < others; other++) board.post({ fault: "cut", rate: 0.5 }, at(0))
      return Array.from({ length: 4_000 }, () => {
        board.first(["cut"], {}, at(0))
        return board.first(["drop"], {}, at(0)) !== undefined
      })
    }
    const first = struck(1, 0)
    assert.closeTo(first.filter(Boolean).length / 4_000, 0.25, 0.03)
    assert.deepStrictEqual(struck(1, 3), first)
    assert.notDeepEqual(struck(2, 0), first)
  })

  it("knows market time, on its own clock, with and without a date", () => {
    const marketMs = marketInstant("20261124", "085900") ?? 0
    const board = makeFaultBoard(1)
    const now = (seconds: number): Now => ({ realMs: 0, marketMs: marketMs + seconds * 1_000 })
    board.post({ fault: "drop", from: "09:00:30", for: 10 }, now(0))
    board.post({ fault: "reset", from: "2026-11-25T08:59:00" }, now(0))
    const strikes = (seconds: number) => board.first(["drop", "reset"], {}, now(seconds))?.fault.fault
    assert.deepStrictEqual([0, 89, 90, 99, 100, 86_399, 86_400].map(strikes), [
      undefined,
      undefined,
      "drop",
      "drop",
      undefined,
      undefined,
      "reset"
    ])
  })

  it("strikes once with a fault of a moment, and goes on with one that says so", () => {
    const strikes = (fault: Fault) => {
      const board = makeOne(fault)
      return Array.from({ length: 5 }).filter(() => board.first(["cut"], {}, at(0))).length
    }
    assert.deepStrictEqual(
      [strikes({ fault: "cut" }), strikes({ fault: "cut", count: 3 }), strikes({ fault: "cut", for: 1 })],
      [1, 3, 5]
    )
  })

  it("ends a fault for good, and makes room only of those that are over", () => {
    const board = makeOne({ fault: "drop" })
    assert.strictEqual(board.stop(1)?.id, 1)
    assert.isUndefined(board.stop(2))
    assert.isUndefined(board.first(["drop"], {}, at(0)))
    for (let more = 1; more < 1_000; more++) board.post({ fault: "drop" }, at(0))
    assert.isDefined(board.post({ fault: "drop" }, at(0)))
    assert.strictEqual(board.list().length, 1_000)
    assert.isUndefined(board.post({ fault: "drop" }, at(0)))
  })
})
