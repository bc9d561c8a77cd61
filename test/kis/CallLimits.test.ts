import { assert, describe, it } from "@effect/vitest"
import { laneOf, limitAt, limitOr, limitsAsOf } from "../../src/kis/CallLimits.ts"

describe("the call limits", () => {
  it("are those of the market's date, with the notice they are from", () => {
    const said = (["2025-08-06", "2026-04-19", "2026-04-20", "2026-12-31"] as const).map((date) => {
      const live = limitAt("live", date)
      return [live.callsPerSecond, limitAt("mock", date).callsPerSecond, live.asOf]
    })
    assert.deepStrictEqual(said, [
      [20, 2, "2025-08-07"],
      [20, 2, "2025-08-07"],
      [18, 1, "2026-04-20"],
      [18, 1, "2026-04-20"]
    ])
  })

  it("say that the notice of September 2026 is not known", () => {
    assert.include(limitAt("live", limitsAsOf).source, "2026-09-16")
  })

  it("give way to a number of the user's own, which has no date", () => {
    assert.deepStrictEqual(limitOr(5, "live", "2026-11-24"), { callsPerSecond: 5, source: "KIS_CALLS_PER_SECOND" })
    assert.deepStrictEqual(limitOr(undefined, "mock", "2026-11-24"), limitAt("mock", "2026-11-24"))
  })

  it("know the ledger's calls by their TR", () => {
    assert.deepStrictEqual(["CTCA0903R", "CTPF1002R", "TTTC8434R", "FHKST11300006", ""].map(laneOf), [
      "ledger",
      "ledger",
      "ledger",
      "quotes",
      "quotes"
    ])
  })
})
