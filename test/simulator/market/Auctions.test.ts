import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeAgenda } from "../../../src/simulator/market/Agenda.ts"
import { makeAuctions } from "../../../src/simulator/market/Auctions.ts"
import { type AuctionKind, untraded } from "../../../src/simulator/market/Issue.ts"
import type { ExpectedMatch } from "../../../src/simulator/market/MarketView.ts"
import { makePit } from "../../../src/simulator/market/Pit.ts"
import { seededRandom } from "../../../src/simulator/market/SeededRandom.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"
import { universe } from "../fixtures.ts"
import { hearing } from "./floors.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))

/** An auction of 005930 that starts far from its close, after so many orders. */
const stage = (seed: number, kind: AuctionKind, orders: number, from = 145_000) => {
  const matches: Array<ExpectedMatch> = []
  const trades: Array<Trade> = []
  const pit = makePit(
    seededRandom(seed, 1),
    makeAgenda(),
    hearing({ onExpected: (_, match) => matches.push(match), onTrade: (_, trade) => trades.push(trade) }),
    { onPrint: () => {} }
  )
  const entry = universe.find(({ code }) => code === "005930")
  assert.isDefined(entry)
  const issue = untraded(entry, 100_000, 10_000_000)
  issue.close = 100_000
  const auctions = makeAuctions(pit)
  auctions.gather(issue, kind, from)
  for (let order = 0; order < orders; order++) auctions.stir(issue)
  return { auctions, issue, matches, trades }
}

describe("a call auction", () => {
  it.prop(
    "never expects a price outside its band: a tenth of the close in the evening of old, the day's limits else",
    [Seed],
    ([seed]) => {
      const bands = [
        ["overtime", 90_000, 110_000],
        ["closing", 70_000, 130_000]
      ] as const
      for (const [kind, lower, upper] of bands) {
        for (const [from, edge] of [
          [145_000, upper],
          [55_000, lower]
        ] as const) {
          const { matches } = stage(seed, kind, 1_000, from)
          if (matches.length > 0) assert.strictEqual(matches[0]?.price, edge)
          for (const { price, volume } of matches) assert.isTrue(lower <= price && price <= upper && volume >= 1)
        }
      }
    },
    { arbitrary: { runs: 10 } }
  )

  it("prints what it expected last, once, and keeps it as the new reference", () => {
    const { auctions, issue, matches, trades } = stage(1, "interruption", 50)
    const last = matches.at(-1)
    assert.isDefined(last)
    assert.deepStrictEqual(auctions.expected(issue), last)
    auctions.uncross(issue, "2", "20")
    assert.strictEqual(trades.length, 1)
    assert.deepInclude(trades[0] ?? {}, { price: last.price, size: last.volume, side: "none", auction: true })
    assert.deepStrictEqual(
      [issue.reference, issue.volume, issue.standing.state],
      [last.price, last.volume, "continuous"]
    )
    assert.isUndefined(auctions.expected(issue))
    assert.isFalse(auctions.gathering.has(issue))
  })

  it("in the evening of old leaves the day's figures alone", () => {
    for (let seed = 1; seed < 40; seed++) {
      const { auctions, issue, matches, trades } = stage(seed, "overtime", 20)
      auctions.uncross(issue, "3", "40")
      assert.deepStrictEqual(
        [issue.volume, issue.price, issue.overtime.volume],
        [0, 100_000, matches.at(-1)?.volume ?? 0]
      )
      assert.strictEqual(trades.length, matches.length === 0 ? 0 : 1)
    }
  })
})
