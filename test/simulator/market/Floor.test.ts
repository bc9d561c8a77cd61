import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { type Floor, makeFloor } from "../../../src/simulator/market/Floor.ts"
import type { Issue } from "../../../src/simulator/market/Issue.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"
import { universe } from "../fixtures.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const noon = marketInstant("20261124", "120000") ?? 0
/** Every kind of issue, halted ones and those without a base price among them. */
const sampled = universe.filter((entry, index) => index % 20 === 0 || entry.flags.includes("H") || !entry.basePrice)

const open = (seed: number) => makeFloor(sampled, { seed, tradesPerSecond: 4_000, stepMs: 100, startMs: noon })

const run = (floor: Floor, steps: number, onTrade: (issue: Issue, trade: Trade) => void, from = noon) => {
  for (let step = 1; step <= steps; step++) floor.step(from + step * 100, onTrade)
}

const checkBook = (issue: Issue) => {
  const { ask, bid, grid, high, low, lower, open: first, upper } = issue
  assert.isTrue(low <= first && first <= high, `${issue.entry.code}: open between low and high`)
  assert.isTrue(lower <= low && high <= upper, `${issue.entry.code}: inside the limits`)
  assert.strictEqual(grid.floor(bid), bid)
  if (ask === 0) assert.strictEqual(bid, upper)
  else assert.strictEqual(ask, grid.up(bid))
}

describe("the floor", () => {
  it.prop(
    "books every trade exactly once, on the grid or half-way between the quotes, inside the limits",
    [Seed],
    ([seed]) => {
      const floor = open(seed)
      const before = new Map(floor.issues.map((issue) => [issue, { ...issue }]))
      run(floor, 6, (issue, trade) => {
        const was = before.get(issue)
        assert.isDefined(was)
        assert.isFalse(issue.still)
        assert.isAtLeast(trade.size, 1)
        assert.strictEqual(issue.price, trade.price)
        assert.strictEqual(issue.volume, was.volume + trade.size)
        assert.strictEqual(issue.value, was.value + trade.size * trade.price)
        assert.strictEqual(issue.sellCount + issue.buyCount, was.sellCount + was.buyCount + 1)
        const bought = trade.side === "buy" ? trade.size : 0
        assert.strictEqual(issue.buyVolume, was.buyVolume + bought)
        assert.strictEqual(issue.sellVolume, was.sellVolume + trade.size - bought)
        if (trade.midpoint) assert.strictEqual(trade.price * 2, issue.ask + issue.bid)
        else assert.strictEqual(issue.grid.floor(trade.price), trade.price)
        assert.isTrue(issue.low <= trade.price && trade.price <= issue.high)
        checkBook(issue)
        before.set(issue, { ...issue })
      })
      for (const issue of floor.issues) assert.deepStrictEqual({ ...issue }, before.get(issue))
    },
    { arbitrary: { runs: 12 } }
  )

  it("makes the same market from the same seed and another from another", () => {
    const tape = (seed: number) => {
      const trades: Array<string> = []
      run(open(seed), 10, (issue, trade) =>
        trades.push(`${issue.entry.code} ${trade.price} ${trade.size} ${issue.volume}`)
      )
      return trades
    }
    assert.deepStrictEqual(tape(7), tape(7))
    assert.notDeepEqual(tape(7), tape(8))
  })

  it("trades at the rate that was asked for", () => {
    const floor = open(3)
    let seen = 0
    run(floor, 50, () => seen++)
    assert.strictEqual(floor.tradesMade(), seen)
    assert.approximately(seen, 20_000, 100)
  })

  it("starts in the middle of a day, with nothing traded where yesterday had nothing", () => {
    for (const issue of open(5).issues) {
      const { entry } = issue
      if (entry.flags.includes("H")) {
        assert.isTrue(issue.still)
        assert.deepStrictEqual([issue.totalAskSize, issue.totalBidSize, issue.volume], [0, 0, 0])
      } else if (entry.basePrice !== undefined && entry.previousVolume > 0) {
        assert.isAbove(issue.volume, 0)
        assert.isAtMost(issue.buyVolume + issue.sellVolume, issue.volume)
        assert.isTrue(issue.openHour <= "120000" && issue.highHour <= "120000" && issue.lowHour <= "120000")
        checkBook(issue)
      } else {
        assert.deepStrictEqual([issue.open, issue.high, issue.low, issue.volume], [0, 0, 0, 0])
        assert.strictEqual(issue.price, entry.basePrice ?? 0)
      }
    }
  })

  it("is busiest where yesterday was", () => {
    const floor = open(9)
    const trades = new Map<Issue, number>()
    run(floor, 50, (issue) => trades.set(issue, (trades.get(issue) ?? 0) + 1))
    const ranked = floor.issues
      .filter((issue) => !issue.still)
      .sort(
        (a, b) => (b.entry.basePrice ?? 0) * b.entry.previousVolume - (a.entry.basePrice ?? 0) * a.entry.previousVolume
      )
    const made = (from: number, to: number) =>
      ranked.slice(from, to).reduce((sum, issue) => sum + (trades.get(issue) ?? 0), 0)
    assert.isAbove(made(0, 10), 2 * made(10, 20))
    assert.isAbove(made(10, 20), made(90, 100))
  })

  it("locks an issue too cheap to move at its limit: sellers only, and a book with one side", () => {
    const [cheap] = sampled.filter(({ flags, basePrice }) => flags === "" && basePrice !== undefined)
    assert.isDefined(cheap)
    const floor = makeFloor([{ ...cheap, basePrice: 2, previousVolume: 0 }], {
      seed: 1,
      tradesPerSecond: 100,
      stepMs: 100,
      startMs: noon
    })
    run(floor, 10, (issue, trade) => {
      assert.deepInclude(trade, { price: 2, side: "sell", midpoint: false })
      assert.deepInclude(issue, { ask: 0, askSize: 0, totalAskSize: 0 })
      assert.isAbove(issue.totalBidSize, 0)
    })
    assert.isAbove(floor.tradesMade(), 0)
  })

  it("begins a new day at midnight: the last price is the base, and everything counted starts again", () => {
    const late = marketInstant("20261124", "235959") ?? 0
    const floor = makeFloor(sampled, { seed: 2, tradesPerSecond: 4_000, stepMs: 100, startMs: late })
    run(floor, 5, () => {}, late)
    const closed = floor.issues.map(({ price, volume }) => ({ price, volume }))
    const volumes = new Map<Issue, number>()
    run(floor, 1, (issue, trade) => volumes.set(issue, (volumes.get(issue) ?? 0) + trade.size), late + 1_000)
    assert.strictEqual(floor.date(), "20261125")
    floor.issues.forEach((issue, index) => {
      assert.strictEqual(issue.basePrice, closed[index]?.price)
      assert.strictEqual(issue.previousVolume, closed[index]?.volume)
      assert.strictEqual(issue.volume, volumes.get(issue) ?? 0)
    })
  })

  it("moves its indices with its prices", () => {
    const floor = makeFloor(universe, { seed: 4, tradesPerSecond: 4_000, stepMs: 100, startMs: noon })
    run(floor, 20, () => {})
    for (const code of ["0001", "1001", "2001"]) {
      const index = floor.index(code)
      assert.isDefined(index)
      assert.isTrue(index.low <= index.level && index.level <= index.high && index.low <= index.open)
      assert.isAbove(index.volume, 0)
    }
    const kosdaq = floor.issues.filter((issue) => issue.entry.market === "KOSDAQ")
    const worth = (price: (issue: Issue) => number) =>
      kosdaq.reduce((sum, issue) => sum + price(issue) * issue.entry.listedShares, 0)
    const expected = (850 * worth((issue) => issue.price)) / worth((issue) => issue.basePrice)
    assert.approximately(floor.index("1001")?.level ?? 0, expected, 0.001)
    assert.isUndefined(floor.index("9999"))
  })
})
