import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { fundGrid, priceLimits, shareGrid } from "../../../src/simulator/market/TickTable.ts"

const Price = Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 3_000_000 }))

describe("price limits", () => {
  it("match the limits that the broker printed", () => {
    assert.deepStrictEqual(priceLimits(128_500, shareGrid), { upper: 167_000, lower: 90_000 })
    assert.deepStrictEqual(priceLimits(35_980, fundGrid), { upper: 46_770, lower: 25_190 })
    assert.deepStrictEqual(priceLimits(37_850, shareGrid), { upper: 49_200, lower: 26_500 })
  })

  it.prop("lie on the grid and within 30 % of the base", [Price], ([base]) => {
    for (const grid of [shareGrid, fundGrid]) {
      const { lower, upper } = priceLimits(base, grid)
      assert.strictEqual(grid.floor(upper), upper)
      assert.strictEqual(grid.floor(lower), lower)
      assert.isAtMost(upper * 10, base * 13)
      assert.isAtLeast(lower * 10, base * 7)
      assert.isAbove(grid.up(upper) * 10, base * 13)
      assert.isBelow(grid.down(lower) * 10, base * 7)
    }
  })

  it.prop("one tick up and down again is where it began", [Price], ([price]) => {
    for (const grid of [shareGrid, fundGrid]) {
      const on = grid.floor(price)
      assert.strictEqual(grid.down(grid.up(on)), on)
    }
  })
})
