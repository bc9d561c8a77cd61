import { assert, describe, it } from "@effect/vitest"
import type { Issue } from "../../../src/simulator/market/Issue.ts"
import type { ExpectedMatch, MarketOperation } from "../../../src/simulator/market/MarketView.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"
import { at, brief, openFloor, runTo } from "./floors.ts"

const date = "20261118"

const stage = (startHour = "100000", tradesPerSecond = 400) => {
  const trades: Array<Trade> = []
  const matches: Array<ExpectedMatch> = []
  const operations: Array<MarketOperation> = []
  const isOurs = (issue: Issue) => issue.entry.code === "005930"
  const floor = openFloor(
    { startMs: at(date, startHour), tradesPerSecond, interruptionsPerHour: 0 },
    {
      onTrade: (issue, trade) => isOurs(issue) && trades.push(trade),
      onExpected: (issue, match) => isOurs(issue) && matches.push(match),
      onOperation: (operation) => operations.push(operation)
    }
  )
  const issue = floor.view.issue("005930")
  assert.isDefined(issue)
  return { floor, issue, matches, operations, trades }
}

describe("a volatility interruption", () => {
  it("stops both venues for two minutes and up to thirty seconds, then prints one auction trade", () => {
    const { floor, issue, matches, operations, trades } = stage()
    runTo(floor, at(date, "100100"))
    assert.isTrue(trades.some(({ venue }) => venue === "NXT"))
    const reference = floor.view.reference(issue)
    assert.isUndefined(floor.control.triggerVi("005930", "static"))
    assert.deepInclude(floor.view.interruption(issue) ?? {}, {
      code: "005930",
      kind: "static",
      startHour: "100100",
      endHour: undefined,
      referencePrice: reference
    })
    trades.length = 0
    runTo(floor, at(date, "100300"))
    assert.deepStrictEqual(trades, [])
    assert.isAbove(matches.length, 10)
    assert.strictEqual(matches.at(-1)?.hourClass, "C")
    assert.strictEqual(floor.view.expected(issue)?.price, matches.at(-1)?.price)
    runTo(floor, at(date, "100335"))
    const [print] = trades
    assert.isDefined(print)
    assert.deepInclude(print, { auction: true, side: "none", hourClass: "0", session: "2", operationCode: "20" })
    assert.isTrue(print.hour >= "100300" && print.hour <= "100330")
    assert.isTrue(trades.slice(1).every(({ auction }) => !auction))
    assert.strictEqual(floor.view.reference(issue), print.price)
    assert.isUndefined(floor.view.interruption(issue))
    assert.isUndefined(floor.view.expected(issue))
    assert.deepStrictEqual(
      floor.view.interruptions().map(({ code, endHour }) => `${code} ${endHour}`),
      [`005930 ${print.hour}`]
    )
    assert.deepStrictEqual(operations.map(brief), ["100100 AB1 112 N", `${print.hour} AB1 311 N`])
  })

  it("comes by itself when a price leaps, a handful an hour, and at no other rate than the one asked for", () => {
    const count = (interruptionsPerHour: number) => {
      const floor = openFloor({ startMs: at(date, "100000"), tradesPerSecond: 20, interruptionsPerHour })
      runTo(floor, at(date, "120000"))
      for (const { kind, referencePrice, triggerPrice } of floor.view.interruptions()) {
        const leap = Math.abs(triggerPrice / referencePrice - 1)
        assert.isAtLeast(leap, kind === "static" ? 0.0999 : 0.0299)
      }
      return floor.view.interruptions().length
    }
    assert.isAtMost(count(0), 2)
    const handful = count(6)
    assert.isTrue(handful >= 3 && handful <= 30, `${handful} in two hours`)
  })

  it("ends with the closing auction at the latest", () => {
    const { floor, issue } = stage("151900")
    assert.isUndefined(floor.control.triggerVi("005930"))
    runTo(floor, at(date, "152005"))
    assert.isUndefined(floor.view.interruption(issue))
    assert.strictEqual(issue.standing.auction, "closing")
  })

  it("is refused where nothing trades, in words", () => {
    const { floor } = stage("082000")
    assert.strictEqual(floor.control.triggerVi("005930"), "005930 is not in continuous trading now")
    assert.strictEqual(floor.control.triggerVi("999999"), "no issue has the code 999999")
  })
})

describe("a halt", () => {
  it("stops one issue at both venues until it is resumed through a call auction of ten minutes", () => {
    const { floor, issue, operations, trades } = stage()
    assert.isUndefined(floor.control.halt("005930", "disclosure"))
    assert.isDefined(floor.control.halt("005930"))
    runTo(floor, at(date, "103000"))
    assert.deepStrictEqual(trades, [])
    assert.isTrue(issue.halted)
    assert.isUndefined(floor.control.resume("005930"))
    assert.isDefined(floor.control.resume("005930"))
    runTo(floor, at(date, "104100"))
    assert.isTrue(trades[0]?.auction === true && trades[0].hour >= "104000" && trades[0].hour <= "104030")
    assert.isAbove(trades.length, 1)
    assert.deepStrictEqual(
      operations.map((one) => [one.issueCode, brief(one), one.reason]),
      [
        ["005930", "100000 AF8 112 Y", "disclosure"],
        ["005930", "103000 AF1 112 N", ""]
      ]
    )
  })

  it("cannot be lifted from an issue that is halted all day", () => {
    const { floor } = stage()
    const still = floor.view.issues.find(({ halted, basePrice }) => halted && basePrice > 0)
    assert.isDefined(still)
    assert.match(floor.control.resume(still.entry.code) ?? "", /halted all day/)
  })
})
