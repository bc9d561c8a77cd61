import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { isTradingDay } from "../../../src/calendar/TradingDays.ts"
import type { PastTrade } from "../../../src/simulator/market/MarketView.ts"
import { universe } from "../fixtures.ts"
import { at, openFloor, runTo } from "./floors.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const date = "20261118"

describe("what has been", () => {
  it.prop(
    "makes minutes that add up to the day and meet its open, high, low and price, lived through or not",
    [Seed],
    ([seed]) => {
      for (const [startHour, endHour] of [
        ["080000", "091500"],
        ["131700", "132000"]
      ] as const) {
        const floor = openFloor({ seed, startMs: at(date, startHour), tradesPerSecond: 40 })
        runTo(floor, at(date, endHour))
        for (const issue of floor.view.issues) {
          for (const [venue, tally] of [["KRX", issue] as const, ["NXT", issue.nxt] as const]) {
            if (tally === undefined || tally.volume === 0) continue
            const bars = floor.view.minutes(issue, venue)
            const say = `${issue.entry.code} at ${venue}`
            if (tally.open === 0) {
              assert.deepStrictEqual(bars, [], say)
              continue
            }
            const silent = venue === "KRX" ? issue.offBookVolume : 0
            assert.strictEqual(
              bars.reduce((sum, { volume }) => sum + volume, silent),
              tally.volume,
              say
            )
            assert.strictEqual(Math.max(...bars.map(({ high }) => high)), tally.high, say)
            assert.strictEqual(Math.min(...bars.map(({ low }) => low)), tally.low, say)
            assert.strictEqual(bars[0]?.open, tally.open, say)
            assert.deepInclude(bars.at(-1) ?? {}, { close: tally.price, cumValue: tally.value }, say)
            const hours = bars.map(({ hour }) => hour)
            assert.deepStrictEqual(hours, [...new Set(hours)].sort(), say)
            assert.isTrue(
              bars.every((bar) => bar.low <= bar.open && bar.close <= bar.high && bar.volume > 0),
              say
            )
          }
        }
      }
    },
    { arbitrary: { runs: 2 } }
  )

  it("remembers the last hundred trades as they were, the newest first", () => {
    const heard: Array<PastTrade> = []
    const floor = openFloor(
      { startMs: at(date, "085900"), tradesPerSecond: 10 },
      {
        onTrade: (issue, trade) => {
          if (issue.entry.code !== "005930" || trade.venue !== "KRX") return
          heard.unshift({ ...trade, cumVolume: issue.volume, change: trade.price - issue.basePrice })
        }
      }
    )
    const issue = floor.view.issue("005930")
    assert.isDefined(issue)
    runTo(floor, at(date, "090020"))
    assert.isTrue(heard.length > 0 && heard.length < 100)
    assert.deepStrictEqual(floor.view.trades(issue), heard)
    runTo(floor, at(date, "093000"))
    assert.isAbove(heard.length, 200)
    assert.deepStrictEqual(floor.view.trades(issue), heard.slice(0, 100))
    assert.isTrue(floor.view.trades(issue, "NXT").every(({ venue }) => venue === "NXT"))
  })

  it("has a past that leads to today's base and yesterday's volume, on trading days only, the same at every start", () => {
    const past = (seed: number) => {
      const { view } = openFloor({ seed, startMs: at(date, "082000") })
      return view.issues.map((issue) => view.days(issue, 40))
    }
    const { view } = openFloor({ startMs: at(date, "082000") })
    assert.deepStrictEqual(past(1), past(2))
    for (const issue of view.issues) {
      if (issue.basePrice === 0) continue
      const bars = view.days(issue, 40)
      assert.strictEqual(bars.length, 40)
      assert.deepInclude(bars[0] ?? {}, { date: "20261117", close: issue.basePrice, volume: issue.previousVolume })
      for (const [index, bar] of bars.entries()) {
        assert.isTrue(isTradingDay(bar.date))
        assert.isTrue(bar.low <= Math.min(bar.open, bar.close) && bar.high >= Math.max(bar.open, bar.close))
        const older = bars[index + 1]
        if (older !== undefined) {
          assert.strictEqual(bar.previousClose, older.close)
          assert.isTrue(older.date < bar.date)
        }
      }
      assert.deepStrictEqual(view.days(issue, 3), bars.slice(0, 3))
    }
  })

  it("keeps a day that was lived through as it was", () => {
    const floor = openFloor({ startMs: at(date, "151000") }, {}, universe.slice(1_000, 1_030))
    runTo(floor, at(date, "170000"))
    const lived = floor.view.issues.map(({ high, low, open, volume }) => ({ high, low, open, volume }))
    const closes = floor.view.issues.map(({ close, price }) => close || price)
    runTo(floor, at("20261119", "000010"), 10_000)
    for (const [index, issue] of floor.view.issues.entries()) {
      const [bar, older] = floor.view.days(issue, 2)
      assert.deepInclude(bar ?? {}, { date, close: closes[index] })
      assert.strictEqual(bar?.previousClose, older?.close)
      if ((lived[index]?.open ?? 0) > 0) assert.isAtLeast(bar?.volume ?? 0, lived[index]?.volume ?? 0)
      assert.deepStrictEqual([issue.basePrice, issue.previousVolume], [closes[index], bar?.volume])
    }
  })
})
