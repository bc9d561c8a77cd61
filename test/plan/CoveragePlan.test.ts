import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { AccountAbility } from "../../src/domain/Assignment.ts"
import type { SymbolClass } from "../../src/domain/SymbolClass.ts"
import { type PlanInput, plan } from "../../src/plan/CoveragePlan.ts"
import type { PlannedSymbol } from "../../src/plan/PlannedSymbol.ts"

const account = (alias: string, changes: Partial<AccountAbility> = {}): AccountAbility => ({
  alias,
  callsPerSecond: 18,
  slots: 41,
  multiPrice: true,
  ...changes
})
const shares = (count: number, of: SymbolClass = "stock"): ReadonlyArray<PlannedSymbol> =>
  Array.from({ length: count }, (_, index) => ({
    symbol: String(index).padStart(6, "0"),
    class: of,
    activity: count - index
  }))
const kospi: PlannedSymbol = { symbol: "0001", class: "index", activity: 0 }
const target_seconds = { watch: 3, index: 10, stock: 10, etf: 20 }
const planOf = (input: Partial<PlanInput>) =>
  plan({ symbols: shares(2_000), accounts: [account("a")], target_seconds, books: 0, held: [], nowMs: 0, ...input })

/** Symbols that a plan asks for in a second. */
const asked = (sweep: ReadonlyArray<{ readonly planned_ms: number }>) =>
  sweep.reduce((sum, { planned_ms }) => sum + 1_000 / planned_ms, 0)

describe("the coverage plan", () => {
  it("sweeps 2,000 symbols with 67 calls of 30, streams the liveliest 41, and meets its target", () => {
    const made = planOf({})
    assert.deepInclude(made, { callsPerSecond: 18, callsPerSweep: 67, streamed: 41, unmet: [], notCovered: [] })
    assert.deepStrictEqual(made.classes, [
      { class: "stock", symbols: 2_000, target_seconds: 10, expected_seconds: 3.9 }
    ])
    assert.deepInclude(made.sweep[0], { symbol: "000000", target_ms: 10_000, planned_ms: 3_899 })
    assert.deepStrictEqual(
      made.streams.get("a")?.map(({ symbol }) => symbol),
      shares(41).map(({ symbol }) => symbol)
    )
  })

  it("adds up what all accounts can do, and counts on none that is down", () => {
    const three = [account("a"), account("b", { down: "refused" }), account("c", { callsPerSecond: 6, slots: 10 })]
    const made = planOf({ accounts: three })
    assert.deepInclude(made, { callsPerSecond: 24, streamed: 51 })
    assert.deepStrictEqual([...made.streams.keys()], ["a", "c"])
    assert.strictEqual(made.classes[0]?.expected_seconds, 2.92)
  })

  it("says which targets cannot be met, what can, and what it would take", () => {
    const symbols = [...shares(3_000), ...shares(300, "watch").map((each) => ({ ...each, symbol: `W${each.symbol}` }))]
    const made = planOf({ symbols, accounts: [account("a", { callsPerSecond: 10.26 })] })
    assert.deepStrictEqual(made.unmet, [
      {
        class: "stock",
        target_seconds: 10,
        expected_seconds: 13.68,
        needs: "15 calls a second, there are 10.3: more accounts, fewer symbols, or a target of 14 s"
      },
      {
        class: "watch",
        target_seconds: 3,
        expected_seconds: 4.1,
        needs: "15 calls a second, there are 10.3: more accounts, fewer symbols, or a target of 5 s"
      }
    ])
  })

  it("says what the mock costs: one call a symbol, and no indices", () => {
    const made = planOf({
      symbols: [kospi, ...shares(100)],
      accounts: [account("a", { callsPerSecond: 1, multiPrice: false })]
    })
    assert.deepInclude(made, { callsPerSweep: 100, notCovered: ["0001"] })
    assert.strictEqual(made.classes[0]?.expected_seconds, 105.26)
    assert.strictEqual(made.unmet[0]?.class, "stock")
    assert.notInclude(
      made.sweep.map(({ symbol }) => symbol),
      "0001"
    )
  })

  it("covers nobody where no account is left, and says so", () => {
    const made = planOf({ symbols: [kospi, ...shares(2)], accounts: [account("a", { down: "refused" })] })
    assert.deepInclude(made, { sweep: [], streamed: 0, callsPerSecond: 0, callsPerSweep: 0, classes: [], unmet: [] })
    assert.deepStrictEqual(made.notCovered, ["0001", "000000", "000001"])
    assert.strictEqual(made.streams.size, 0)
  })

  const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const Count = int(0, 400)
  const Account = Schema.Struct({ callsPerSecond: int(1, 18), slots: int(0, 41), multiPrice: Schema.Boolean })

  it.prop(
    "spends the calls it plans with, keeps the classes' ratio, and gives the same plan for the same input",
    [Count, Count, Count, Schema.Array(Account), int(0, 10)],
    ([stocks, funds, watched, abilities, books]) => {
      const named = (count: number, of: SymbolClass, letter: string) =>
        shares(count, of).map((each) => ({ ...each, symbol: `${letter}${each.symbol}` }))
      const symbols = [...named(watched, "watch", "W"), ...named(stocks, "stock", "S"), ...named(funds, "etf", "E")]
      const accounts = abilities.slice(0, 8).map((ability, index) => account(String(index), ability))
      const input = { symbols, accounts, books }
      const made = planOf(input)
      assert.deepStrictEqual(planOf(input), made)
      if (symbols.length === 0 || accounts.length === 0) return assert.strictEqual(made.sweep.length, 0)
      assert.deepStrictEqual(
        made.sweep.map(({ symbol }) => symbol),
        symbols.map(({ symbol }) => symbol)
      )
      const capacity = accounts.reduce((sum, each) => sum + each.callsPerSecond * (each.multiPrice ? 30 : 1), 0)
      const stretch = made.sweep.map(({ planned_ms, target_ms }) => planned_ms / target_ms)
      // Planned ages are whole milliseconds.
      const fuzz = 1 / Math.min(...made.sweep.map(({ planned_ms }) => planned_ms))
      assert.approximately(asked(made.sweep) / capacity, 0.95, fuzz)
      assert.approximately(Math.max(...stretch) / Math.min(...stretch), 1, 2 * fuzz)
      const isShort = Math.max(...made.classes.map((each) => each.expected_seconds / each.target_seconds)) > 1.01
      if (isShort) assert.strictEqual(made.unmet.length, made.classes.length)
    },
    { arbitrary: { runs: 150 } }
  )
})
