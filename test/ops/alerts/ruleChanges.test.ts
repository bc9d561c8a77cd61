import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { ruleChanges } from "../../../src/ops/alerts/ruleChanges.ts"

describe("OBSERVER_ALERT_RULES", () => {
  it("takes limits and off, in any case of letters", () => {
    const read = Result.getOrThrow(ruleChanges.parse("staleSymbols:10, RECONNECTS:off,diskFullSoon:2.5"))
    assert.deepStrictEqual(
      [...read],
      [
        ["staleSymbols", 10],
        ["reconnects", "off"],
        ["diskFullSoon", 2.5]
      ]
    )
    assert.deepStrictEqual(
      [...Result.getOrThrow(ruleChanges.parse("journalUnwritable:off"))],
      [["journalUnwritable", "off"]]
    )
  })

  for (const [text, why] of [
    ["staleSymbol:10", "there is no rule staleSymbol"],
    ["staleSymbols:0", "staleSymbols takes 1 to 100 % of symbols, or off"],
    ["staleSymbols:101", "staleSymbols takes 1 to 100 % of symbols, or off"],
    ["staleSymbols", "staleSymbols takes 1 to 100 % of symbols, or off"],
    ["staleSymbols:5:5", "staleSymbols takes 1 to 100 % of symbols, or off"],
    ["staleSymbols:1e1", "staleSymbols takes 1 to 100 % of symbols, or off"],
    ["journalUnwritable:5", "journalUnwritable has no limit, only off"],
    ["refusals:off,refusals:7", "refusals is named twice"]
  ] as const) {
    it(`says of ${text}: ${why}`, () => {
      const read = ruleChanges.parse(text)
      assert.strictEqual(Result.isFailure(read) ? read.failure : undefined, why)
    })
  }
})
