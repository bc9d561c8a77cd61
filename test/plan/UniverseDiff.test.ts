import { assert, describe, it } from "@effect/vitest"
import type { ListedIssue } from "../../src/plan/MarketList.ts"
import type { Universe } from "../../src/plan/Universe.ts"
import { diffOf, noChange } from "../../src/plan/UniverseDiff.ts"

const issue = (code: string, rest: Partial<ListedIssue> = {}): ListedIssue => ({
  code,
  isin: "",
  name: code,
  market: "KOSPI",
  kind: "common",
  flags: "",
  nxt: false,
  basePrice: 1_000,
  previousVolume: 1,
  turnover: 1_000,
  ...rest
})

const universe = (symbols: ReadonlyArray<string>, ...entries: ReadonlyArray<ListedIssue>): Universe => ({
  date: "20260722",
  symbols,
  indices: ["0001"],
  entries: new Map(entries.map((entry) => [entry.code, entry])),
  unlisted: [],
  rule: "",
  source: { list: "today", date: "20260722" },
  file: "",
  sha256: ""
})

describe("the difference of two universes", () => {
  it("is none between a universe and itself, in whatever order", () => {
    const rebased = issue("A00000", { rebased: "exRights", flags: "X" })
    const before = universe(["A00000", "B00000"], rebased, issue("B00000"))
    assert.deepStrictEqual(diffOf(before, before), noChange)
    assert.deepStrictEqual(diffOf(before, universe(["B00000", "A00000"], issue("B00000"), rebased)), noChange)
  })

  it("names what came, what went, and of what stayed the flags and the corporate actions", () => {
    const before = universe(["A00000", "B00000", "C00000"], issue("A00000"), issue("B00000"), issue("C00000"))
    const after = universe(
      ["B00000", "C00000", "D00000"],
      issue("A00000", { flags: "H" }),
      issue("B00000", { flags: "A", basePrice: 1_030 }),
      issue("C00000", { flags: "X", basePrice: 500, rebased: "exRights" }),
      issue("D00000", { flags: "H" })
    )
    assert.deepStrictEqual(diffOf(before, after), {
      added: ["D00000"],
      removed: ["A00000"],
      flagged: [
        { code: "B00000", before: "", after: "A" },
        { code: "C00000", before: "", after: "X" }
      ],
      rebased: [{ code: "C00000", before: 1_000, after: 500, because: "exRights" }]
    })
  })

  it("knows nothing to compare of what is in no list", () => {
    assert.deepStrictEqual(diffOf(universe(["ZZZZZZ"]), universe(["ZZZZZZ"], issue("ZZZZZZ"))), noChange)
  })
})
