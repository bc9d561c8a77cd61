import { assert, describe, it } from "@effect/vitest"
import { plan } from "../../src/plan/CoveragePlan.ts"

const symbols = Array.from({ length: 2_000 }, (_, index) => String(index).padStart(6, "0"))

describe("the coverage plan", () => {
  it("sweeps 2,000 symbols with 67 calls of 30 and streams as many as there are slots", () => {
    const made = plan(symbols, { callsPerSecond: 18, slots: 41, multiPrice: true })
    assert.strictEqual(made.callsPerSweep, 67)
    assert.strictEqual(made.sweep.length, 2_000)
    assert.deepStrictEqual(made.stream, symbols.slice(0, 41))
    assert.approximately(made.expectedStaleness_seconds, 3.72, 0.01)
  })

  it("says what the mock costs: one call a symbol, and no indices", () => {
    const made = plan(["0001", ...symbols], { callsPerSecond: 1, slots: 41, multiPrice: false })
    assert.strictEqual(made.callsPerSweep, 2_000)
    assert.strictEqual(made.expectedStaleness_seconds, 2_000)
    assert.notInclude(made.sweep, "0001")
  })

  it("an index is swept but never streamed", () => {
    const made = plan(["0001", "005930"], { callsPerSecond: 18, slots: 41, multiPrice: true })
    assert.deepStrictEqual([made.sweep, made.stream], [["0001", "005930"], ["005930"]])
  })
})
