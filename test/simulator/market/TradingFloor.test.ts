import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Issue } from "../../../src/simulator/market/Issue.ts"
import type { MarketListener } from "../../../src/simulator/market/MarketView.ts"
import type { TradingFloor } from "../../../src/simulator/market/TradingFloor.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"
import { universe } from "../fixtures.ts"
import { checkBook } from "./auditor.ts"
import { at, openFloor, runTo } from "./floors.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const noon = at("20261124", "120000")
/** Every kind of issue, halted ones and those without a base price among them. */
const sampled = universe.filter((entry, index) => index % 20 === 0 || entry.flags.includes("H") || !entry.basePrice)

const always = (seed: number, listener: Partial<MarketListener> = {}, tradesPerSecond = 4_000): TradingFloor =>
  openFloor({ seed, tradesPerSecond, hours: "always", startMs: noon }, listener, sampled)

const run = (floor: TradingFloor, steps: number, from = noon) => {
  for (let step = 1; step <= steps; step++) floor.step(from + step * 100, 100)
}

const figures = ({ high, low, open, price, value, volume }: Issue) => ({ high, low, open, price, value, volume })

describe("the floor of a market that never closes", () => {
  it.prop(
    "books every trade exactly once, at the venue where it was made",
    [Seed],
    ([seed]) => {
      const heard = new Map<Issue, { volume: number; value: number; nxt: number }>()
      const floor = always(seed, {
        onTrade: (issue, { price, size, venue }) => {
          const sums = heard.get(issue) ?? { volume: 0, value: 0, nxt: 0 }
          heard.set(issue, sums)
          sums.volume += venue === "KRX" ? size : 0
          sums.value += venue === "KRX" ? size * price : 0
          sums.nxt += venue === "NXT" ? size : 0
        }
      })
      const before = new Map(floor.view.issues.map((issue) => [issue, { ...issue, nxtVolume: issue.nxt?.volume ?? 0 }]))
      run(floor, 6)
      for (const issue of floor.view.issues) {
        const { nxt, value, volume } = heard.get(issue) ?? { volume: 0, value: 0, nxt: 0 }
        const was = before.get(issue)
        assert.isDefined(was)
        assert.strictEqual(issue.volume, was.volume + volume, issue.entry.code)
        assert.strictEqual(issue.value, was.value + value, issue.entry.code)
        assert.strictEqual(issue.nxt?.volume ?? 0, was.nxtVolume + nxt, issue.entry.code)
        checkBook(floor.view, issue)
      }
    },
    { arbitrary: { runs: 8 } }
  )

  it("makes the same market from the same seed and another from another", () => {
    const tape = (seed: number) => {
      const told: Array<string> = []
      const floor = always(seed, {
        onTrade: (issue, trade) => told.push(`${issue.entry.code} ${JSON.stringify(trade)} ${issue.volume}`),
        onBook: (issue) => told.push(`${issue.entry.code} ${issue.totalBidSize} ${issue.totalAskSize}`),
        onExpected: (issue, match) => told.push(`${issue.entry.code} ${JSON.stringify(match)}`),
        onIndex: (level) => told.push(JSON.stringify(level))
      })
      run(floor, 12)
      return told
    }
    assert.deepStrictEqual(tape(7), tape(7))
    assert.notDeepEqual(tape(7), tape(8))
  })

  it("trades at the rate that was asked for, and faster in a burst", () => {
    let seen = 0
    const floor = always(3, { onTrade: () => seen++ })
    run(floor, 50)
    assert.strictEqual(floor.view.tradesMade(), seen)
    assert.approximately(seen, 20_000, 100)
    assert.isUndefined(floor.control.burst(5, 1))
    run(floor, 10, noon + 5_000)
    assert.approximately(seen, 40_000, 200)
    run(floor, 10, noon + 6_000)
    assert.approximately(seen, 44_000, 300)
  })

  it("starts in the middle of a day, with nothing traded where yesterday had nothing", () => {
    for (const issue of always(5).view.issues) {
      const { entry } = issue
      if (entry.flags.includes("H") && !entry.flags.includes("L")) {
        assert.isTrue(issue.still && issue.halted)
        assert.deepStrictEqual([issue.totalAskSize, issue.totalBidSize, issue.volume], [0, 0, 0])
      } else if (entry.basePrice !== undefined && entry.previousVolume > 0) {
        assert.isAbove(issue.volume, 0)
        assert.isAtMost(issue.buyVolume + issue.sellVolume, issue.volume)
        assert.isTrue(issue.openHour <= "120000" && issue.highHour <= "120000" && issue.lowHour <= "120000")
        assert.isTrue(issue.low <= issue.open && issue.open <= issue.high && issue.low <= issue.price)
      } else {
        assert.deepStrictEqual([issue.open, issue.high, issue.low, issue.volume], [0, 0, 0, 0])
        assert.strictEqual(issue.price, entry.basePrice ?? 0)
      }
    }
  })

  it("gives Nextrade about a third of what it lists, and nothing else", () => {
    const sums = { KRX: 0, NXT: 0 }
    const floor = always(9, {
      onTrade: (issue, { venue }) => {
        if (issue.entry.nxt) sums[venue] += 1
        else assert.strictEqual(venue, "KRX")
      }
    })
    run(floor, 50)
    assert.approximately(sums.NXT / (sums.KRX + sums.NXT), 0.3, 0.05)
  })

  it("is busiest where yesterday was", () => {
    const trades = new Map<Issue, number>()
    const floor = always(9, { onTrade: (issue) => trades.set(issue, (trades.get(issue) ?? 0) + 1) })
    run(floor, 50)
    const turnover = ({ entry }: Issue) => (entry.basePrice ?? 0) * entry.previousVolume
    const ranked = floor.view.issues
      .filter((issue) => !issue.still && !issue.liquidating)
      .sort((a, b) => turnover(b) - turnover(a))
    const made = (from: number, to: number) =>
      ranked.slice(from, to).reduce((sum, issue) => sum + (trades.get(issue) ?? 0), 0)
    assert.isAbove(made(0, 10), 2 * made(10, 20))
    assert.isAbove(made(10, 20), made(90, 100))
  })

  it("locks an issue too cheap to move at its limit: sellers only, and a book with one side", () => {
    const [cheap] = sampled.filter(({ flags, basePrice, nxt }) => flags === "" && basePrice !== undefined && !nxt)
    assert.isDefined(cheap)
    const heard: Array<Trade> = []
    const floor = openFloor(
      { hours: "always", tradesPerSecond: 100, startMs: noon },
      { onTrade: (_, trade) => heard.push(trade) },
      [{ ...cheap, basePrice: 2, previousVolume: 0 }]
    )
    run(floor, 10)
    assert.isAbove(heard.length, 0)
    for (const trade of heard) assert.deepInclude(trade, { price: 2, side: "sell", midpoint: false })
    const [issue] = floor.view.issues
    assert.isDefined(issue)
    const book = floor.view.book(issue)
    assert.deepStrictEqual(book.asks, [])
    assert.deepStrictEqual(book.bids, [{ price: 2, size: book.totalBidSize }])
  })

  it("begins a new day at midnight: the last price is the base, and everything counted starts again", () => {
    const late = at("20261124", "235959")
    const volumes = new Map<Issue, number>()
    let isToday = false
    const floor = openFloor(
      { seed: 2, tradesPerSecond: 4_000, hours: "always", startMs: late },
      {
        onTrade: (issue, { size, venue }) => {
          if (isToday && venue === "KRX") volumes.set(issue, (volumes.get(issue) ?? 0) + size)
        }
      },
      sampled
    )
    run(floor, 5, late)
    const closed = floor.view.issues.map(({ price, volume }) => ({ price, volume }))
    isToday = true
    floor.step(late + 1_100, 100)
    assert.strictEqual(floor.view.date(), "20261125")
    floor.view.issues.forEach((issue, index) => {
      assert.strictEqual(issue.basePrice, closed[index]?.price)
      assert.strictEqual(issue.previousVolume, closed[index]?.volume)
      assert.strictEqual(issue.volume, volumes.get(issue) ?? 0)
      const [yesterday] = floor.view.days(issue, 1)
      assert.deepInclude(yesterday ?? { close: 0 }, { close: issue.basePrice })
    })
  })

  it("trades what is in liquidation every half hour only, and without limits", () => {
    const prints: Array<string> = []
    const floor = openFloor(
      { hours: "always", tradesPerSecond: 20, startMs: noon },
      {
        onTrade: (issue, { auction, hour, operationCode }) => {
          if (issue.liquidating) prints.push(`${hour.slice(0, 4)} ${operationCode} ${auction}`)
        }
      }
    )
    runTo(floor, at("20261124", "133100"))
    assert.deepStrictEqual([...new Set(prints)], ["1230 27 true", "1300 27 true", "1330 27 true"])
    for (const issue of floor.view.issues.filter(({ liquidating }) => liquidating)) {
      assert.isFalse(issue.still)
      assert.isAbove(issue.upper, issue.basePrice * 9)
    }
  })
})

describe("the floor by the calendar", () => {
  const state = (date: string, hour: string) => {
    const floor = openFloor({ startMs: at(date, hour) })
    const issue = floor.view.issue("005930")
    assert.isDefined(issue)
    return { floor, issue }
  }

  it("starts in any part of the day as if it had been there: before the open, in trading, closed, on a holiday", () => {
    const early = state("20261118", "082000")
    assert.deepStrictEqual([early.floor.view.phase(), early.issue.volume], ["preOpen", 0])
    const open = state("20261118", "110000")
    assert.deepStrictEqual([open.floor.view.phase(), open.issue.standing.state], ["continuous", "continuous"])
    assert.isAbove(open.issue.volume, 0)
    const auction = state("20261118", "152500")
    assert.deepStrictEqual([auction.floor.view.phase(), auction.issue.standing.auction], ["closingAuction", "closing"])
    const evening = state("20261118", "170000")
    assert.deepStrictEqual([evening.floor.view.phase(), evening.issue.standing.state], ["afterMarket", "continuous"])
    assert.isAbove(evening.issue.close, 0)
    const sunday = state("20261122", "110000")
    assert.deepStrictEqual([sunday.floor.view.phase(), sunday.floor.view.date()], ["closed", "20261120"])
    assert.deepStrictEqual([sunday.issue.standing.state, sunday.issue.close], ["closed", sunday.issue.price])
  })

  it("is silent on a holiday and opens on the next trading day, with the close as its base", () => {
    let heard = 0
    const floor = openFloor({ startMs: at("20261009", "100000") }, { onTrade: () => heard++, onIndex: () => heard++ })
    const issue = floor.view.issue("005930")
    assert.isDefined(issue)
    const before = figures(issue)
    runTo(floor, at("20261011", "235900"), 60_000)
    assert.strictEqual(heard, 0)
    assert.deepStrictEqual(figures(issue), before)
    runTo(floor, at("20261012", "000100"), 60_000)
    assert.deepStrictEqual([floor.view.date(), issue.basePrice, issue.volume], ["20261012", before.price, 0])
  })

  it("prints the open within thirty seconds, every issue at its own moment, even when it starts at nine sharp", () => {
    for (const startHour of ["085500", "090000"]) {
      const hours = new Map<Issue, string>()
      const floor = openFloor(
        { startMs: at("20261118", startHour) },
        {
          onTrade: (issue, { auction, hour, side, venue }) => {
            if (venue === "KRX" && !hours.has(issue)) {
              hours.set(issue, hour)
              if (auction) assert.deepStrictEqual([side, issue.buyCount, issue.sellCount], ["none", 0, 0])
            }
          }
        }
      )
      runTo(floor, at("20261118", "090035"), 100)
      const printed = [...hours.values()]
      assert.isAbove(printed.length, 100)
      assert.isTrue(printed.every((hour) => hour >= "090000" && hour <= "090035"))
      assert.isAbove(new Set(printed).size, 15)
      for (const [issue] of hours) {
        if (floor.view.opening(issue) !== undefined) assert.strictEqual(floor.view.opening(issue)?.price, issue.open)
      }
    }
  })

  it("raises the volume in silence before the open", () => {
    let heard = 0
    const floor = openFloor(
      { startMs: at("20261118", "082900"), tradesPerSecond: 400 },
      { onTrade: (_, { venue }) => (heard += venue === "KRX" ? 1 : 0) }
    )
    runTo(floor, at("20261118", "084500"))
    assert.strictEqual(heard, 0)
    const raised = floor.view.issues.filter(({ volume }) => volume > 0)
    assert.isAbove(raised.length, 5)
    for (const issue of raised) {
      assert.deepStrictEqual([issue.volume, issue.value], [issue.offBookVolume, issue.volume * issue.basePrice])
      assert.deepStrictEqual([issue.open, issue.price], [0, issue.basePrice])
    }
  })

  it("keeps its phases and prints when steps are missing", () => {
    const floor = openFloor({ startMs: at("20261118", "085000") })
    floor.step(at("20261118", "161500"), 1_000)
    const issue = floor.view.issue("005930")
    assert.isDefined(issue)
    assert.isTrue(issue.openHour >= "090000" && issue.openHour <= "090030")
    assert.isAbove(issue.close, 0)
    assert.deepStrictEqual([floor.view.phase(), issue.standing.state], ["afterMarket", "continuous"])
  })

  it("opens anew at another time when told to", () => {
    const floor = openFloor({ hours: "always", startMs: noon })
    run(floor, 20)
    floor.reopen(at("20261119", "093500"))
    const issue = floor.view.issue("005930")
    assert.isDefined(issue)
    assert.deepStrictEqual(
      [floor.view.date(), floor.view.phase(), issue.volume, issue.standing.auction],
      ["20261119", "openingAuction", 0, "opening"]
    )
    assert.deepStrictEqual(floor.view.trades(issue), [])
  })
})
