import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PastTrade } from "../../../src/simulator/market/MarketView.ts"
import { latestTrades } from "../../../src/simulator/quotation/latestTrades.ts"
import { tradesUntil } from "../../../src/simulator/quotation/tradesUntil.ts"
import { ask, type Row, rows } from "./ask.ts"
import { captured } from "./captured.ts"
import { issueOf, stagedMarket, tradeOf } from "./stagedMarket.ts"

const query = "FID_COND_MRKT_DIV_CODE=J&FID_INPUT_ISCD=005930"
const untilClose = `${query}&FID_INPUT_HOUR_1=153000`

/** A thousand trades, newest first, one second apart, sizes 1 to 7. */
const manyTrades = (): ReadonlyArray<PastTrade> => {
  let cumVolume = 0
  return Array.from({ length: 1_000 }, (_, at) => {
    const size = 1 + (at % 7)
    cumVolume += size
    const minute = 10 + Math.floor(at / 60)
    const hour = `14${String(minute).padStart(2, "0")}${String(at % 60).padStart(2, "0")}`
    const trade = tradeOf({ hour, size, price: 300_000 + (at % 3) * 500, side: at % 2 === 0 ? "buy" : "sell" })
    return { ...trade, cumVolume, change: trade.price - 299_000 }
  }).reverse()
}

const newest = (list: ReadonlyArray<Row>) => list.map((line) => Number(line["acml_vol"]))

describe("the trade lists", () => {
  it.effect("have the captured fields in their order, thirty rows, newest first", () =>
    Effect.gen(function* () {
      const market = stagedMarket([issueOf({}, { buyVolume: 9_000, sellVolume: 8_000 })], { trades: manyTrades })
      const recent = rows(yield* ask(latestTrades, market, query), "output")
      const earlier = rows(yield* ask(tradesUntil, market, untilClose), "output2")
      const [likeRecent] = captured("cap_inquire_ccnl_005930_20260527.json").body["output"] as ReadonlyArray<Row>
      const [likeEarlier] = captured("cap_inquire_time_itemconclusion_005930_20260527.json").body[
        "output2"
      ] as ReadonlyArray<Row>
      assert.deepStrictEqual(Object.keys(recent[0] ?? {}), Object.keys(likeRecent ?? {}))
      assert.deepStrictEqual(Object.keys(earlier[0] ?? {}), Object.keys(likeEarlier ?? {}))
      assert.strictEqual(recent.length, 30)
      assert.strictEqual(earlier.length, 30)
      const volumes = newest(earlier)
      assert.deepStrictEqual(
        volumes,
        [...volumes].sort((a, b) => b - a)
      )
    })
  )

  it.effect("lack the same trades, about one in thirty by default, and none when told so", () =>
    Effect.gen(function* () {
      const past = manyTrades()
      let shown = 0,
        lost = 0
      for (let from = 0; from + 40 <= past.length; from += 40) {
        const market = stagedMarket([issueOf()], { trades: () => past.slice(from) })
        const earlier = rows(yield* ask(tradesUntil, market, untilClose), "output2")
        const recent = rows(yield* ask(latestTrades, market, query), "output")
        assert.deepStrictEqual(
          recent.map((line) => [line["stck_cntg_hour"], line["cntg_vol"]]),
          earlier.map((line) => [line["stck_cntg_hour"], line["cnqn"]])
        )
        shown += 30
        lost += past.slice(from).findIndex(({ cumVolume }) => cumVolume === newest(earlier).at(-1)) + 1 - 30
      }
      assert.isAbove(lost, 0)
      assert.isBelow(lost / shown, 0.1)
      const whole = stagedMarket([issueOf()], { trades: manyTrades })
      const all = rows(yield* ask(tradesUntil, whole, untilClose, { lostTradeShare: 0 }), "output2")
      assert.deepStrictEqual(
        newest(all),
        past.slice(0, 30).map(({ cumVolume }) => cumVolume)
      )
    })
  )

  it.effect("end with the asked hour, which the newer list does not take", () =>
    Effect.gen(function* () {
      const market = stagedMarket([issueOf()], { trades: manyTrades })
      const list = rows(yield* ask(tradesUntil, market, `${query}&FID_INPUT_HOUR_1=142000`), "output2")
      assert.isTrue(list.every((line) => (line["stck_cntg_hour"] ?? "") <= "142000"))
      assert.strictEqual(list.length, 30)
      const before = yield* ask(tradesUntil, market, `${query}&FID_INPUT_HOUR_1=090000`)
      assert.deepStrictEqual(rows(before, "output2"), [])
    })
  )

  it.effect("tell the trade strength that each trade left", () =>
    Effect.gen(function* () {
      const trades: ReadonlyArray<PastTrade> = [
        { ...tradeOf({ hour: "150822", size: 10, side: "sell" }), cumVolume: 60, change: 8_000 },
        { ...tradeOf({ hour: "150821", size: 20, side: "buy" }), cumVolume: 50, change: 8_000 },
        { ...tradeOf({ hour: "090000", size: 30, side: "none" }), cumVolume: 30, change: 8_000 }
      ]
      const market = stagedMarket([issueOf({}, { buyVolume: 20, sellVolume: 10 })], { trades: () => trades })
      const list = rows(yield* ask(latestTrades, market, query, { lostTradeShare: 0 }), "output")
      assert.deepStrictEqual(
        list.map((line) => line["tday_rltv"]),
        ["200.00", "0.00", "0.00"]
      )
    })
  )

  it.effect("count both venues into one volume for UN", () =>
    Effect.gen(function* () {
      const samsung = issueOf({}, { volume: 100 })
      const nxt = { ...(samsung.nxt ?? assert.fail("listed on Nextrade")), volume: 50 }
      const at = (hour: string, size: number, cumVolume: number): PastTrade => ({
        ...tradeOf({ hour, size }),
        cumVolume,
        change: 8_000
      })
      const market = stagedMarket([{ ...samsung, nxt }], {
        trades: (_issue, venue) =>
          venue === "NXT" ? [at("150821", 20, 50), at("150819", 30, 30)] : [at("150822", 40, 100), at("150820", 60, 60)]
      })
      const both = untilClose.replace("CODE=J", "CODE=UN")
      assert.deepStrictEqual(
        newest(rows(yield* ask(tradesUntil, market, both, { lostTradeShare: 0 }), "output2")),
        [150, 110, 90, 30]
      )
      const nx = untilClose.replace("CODE=J", "CODE=NX")
      assert.deepStrictEqual(
        newest(rows(yield* ask(tradesUntil, market, nx, { lostTradeShare: 0 }), "output2")),
        [50, 30]
      )
    })
  )
})
