import { assert, describe, it } from "@effect/vitest"
import { makeAgenda } from "../../../src/simulator/market/Agenda.ts"
import { makeAuctions } from "../../../src/simulator/market/Auctions.ts"
import { makeBreaker } from "../../../src/simulator/market/Breaker.ts"
import { makeInterruptions } from "../../../src/simulator/market/Interruptions.ts"
import type { MarketOperation } from "../../../src/simulator/market/MarketView.ts"
import { makePit } from "../../../src/simulator/market/Pit.ts"
import { seededRandom } from "../../../src/simulator/market/SeededRandom.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"
import { at, brief, hearing, openFloor, runTo } from "./floors.ts"

const date = "20261118"

const stage = (startHour: string) => {
  const trades: Array<readonly [market: string, trade: Trade]> = []
  const operations: Array<MarketOperation> = []
  const floor = openFloor(
    { startMs: at(date, startHour), tradesPerSecond: 100, interruptionsPerHour: 0 },
    {
      onTrade: ({ entry }, trade) => trades.push([entry.market, trade]),
      onOperation: (operation) => operations.push(operation)
    }
  )
  return { floor, operations, trades }
}

describe("a circuit breaker", () => {
  it("stops a whole market for twenty minutes, gathers for ten, and announces what was captured", () => {
    const { floor, operations, trades } = stage("121000")
    runTo(floor, at(date, "121012"))
    assert.isUndefined(floor.control.circuitBreaker(1, "KOSDAQ"))
    assert.isDefined(floor.control.circuitBreaker(1, "KOSDAQ"))
    trades.length = 0
    runTo(floor, at(date, "124012"))
    assert.isTrue(trades.every(([market]) => market === "KOSPI"))
    assert.isAbove(trades.length, 1_000)
    assert.strictEqual(floor.view.phase(), "continuous")
    runTo(floor, at(date, "124120"))
    const [first] = trades.filter(([market]) => market === "KOSDAQ")
    assert.isTrue(first?.[1].auction === true && first[1].hour >= "124012" && first[1].hour <= "124042")
    assert.deepStrictEqual(
      operations.filter(({ issueCode }) => issueCode === undefined).map((one) => [one.market, brief(one)]),
      [
        ["KOSDAQ", "121012 AF8 112 Y"],
        ["KOSDAQ", "123012 AF1 112 N"],
        ["KOSDAQ", "124042 BF9 311 N"]
      ]
    )
  })

  it("of both markets is a halt of everything, Nextrade included", () => {
    const { floor, trades } = stage("120000")
    assert.isUndefined(floor.control.circuitBreaker())
    runTo(floor, at(date, "122500"))
    assert.deepStrictEqual(trades, [])
    assert.isTrue(floor.view.issues.some((issue) => floor.view.expected(issue) !== undefined))
  })

  it("of level 3 ends the day", () => {
    const { floor, trades } = stage("145500")
    assert.isUndefined(floor.control.circuitBreaker(3))
    runTo(floor, at(date, "200500"), 5_000)
    assert.deepStrictEqual(trades, [])
    assert.strictEqual(floor.view.phase(), "closed")
  })

  it("is triggered by an index 8 % down for a minute, once, and the next level needs 15 and a per cent more", () => {
    const operations: Array<string> = []
    const pit = makePit(
      seededRandom(1, 1),
      makeAgenda(),
      hearing({ onOperation: (operation) => operations.push(brief(operation)) }),
      { onPrint: () => {} }
    )
    const auctions = makeAuctions(pit)
    const interruptions = makeInterruptions(pit, auctions)
    const breaker = makeBreaker(
      pit,
      [],
      auctions,
      interruptions,
      () => at(date, "152000"),
      () => {}
    )
    const watch = (fromHour: string, seconds: number, change: number) => {
      for (let second = 0; second < seconds; second++) {
        pit.setNow(at(date, fromHour) + second * 1_000)
        breaker.watch("KOSPI", change)
      }
    }
    const settle = (toHour: string) => {
      while (pit.agenda.nextMs() <= at(date, toHour)) {
        pit.setNow(pit.agenda.nextMs())
        pit.agenda.runNext()
      }
    }
    watch("100000", 60, -8.2)
    watch("100100", 1, -7.9)
    watch("100101", 60, -8.2)
    assert.deepStrictEqual(operations, [])
    watch("100201", 1, -8.2)
    assert.deepStrictEqual(operations, ["100201 AF8 112 Y"])
    settle("103300")
    assert.strictEqual(breaker.status("KOSPI"), "trading")
    watch("110000", 120, -14)
    assert.strictEqual(breaker.status("KOSPI"), "trading")
    watch("145000", 120, -16)
    assert.strictEqual(breaker.status("KOSPI"), "trading", "level 2 ends half an hour before the closing auction")
    watch("143000", 61, -16)
    assert.strictEqual(breaker.status("KOSPI"), "halted")
    settle("151000")
    watch("151500", 61, -20.5)
    assert.strictEqual(breaker.status("KOSPI"), "ended")
  })
})
