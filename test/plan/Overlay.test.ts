import { assert, describe, it } from "@effect/vitest"
import { noOverlay, overlaid, withAdded, withRemoved } from "../../src/plan/Overlay.ts"

const chosen = { symbols: ["A00000", "B00000"], indices: ["0001"], rule: "two" }

describe("what is said by hand", () => {
  it("is the last word about a code: no code is both added and removed", () => {
    const added = withAdded(withRemoved(noOverlay, ["A00000", "B00000"]), ["A00000", "C00000"])
    assert.deepStrictEqual(added, { added: ["A00000", "C00000"], removed: ["B00000"] })
    assert.deepStrictEqual(withRemoved(added, ["C00000"]), { added: ["A00000"], removed: ["B00000", "C00000"] })
  })

  it("leaves a symbol in its place in the list when it was taken out and put back", () => {
    const back = withAdded(withRemoved(noOverlay, ["A00000"]), ["A00000"])
    assert.deepStrictEqual(overlaid(chosen, back, new Map(), false), chosen)
  })

  it("is told in the rule, but for what the selection has anyway", () => {
    const overlay = { added: ["A00000", "C00000"], removed: ["B00000", "0001", "D00000"] }
    assert.deepStrictEqual(overlaid(chosen, overlay, new Map(), false), {
      symbols: ["A00000", "C00000"],
      indices: [],
      rule: "two; 1 added by hand; 2 taken out by hand"
    })
  })
})
