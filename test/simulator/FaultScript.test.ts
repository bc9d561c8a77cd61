import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { faultLines, faultNames } from "../../src/simulator/faults/faultKinds.ts"
import { parseFaultScript } from "../../src/simulator/faults/FaultScript.ts"

const problemsOf = (script: unknown): ReadonlyArray<string> =>
  Result.match(parseFaultScript(typeof script === "string" ? script : JSON.stringify(script)), {
    onFailure: ({ problems }) => problems,
    onSuccess: () => []
  })

describe("a fault script", () => {
  it("may hold every fault there is, with all that a fault may say", () => {
    assert.deepStrictEqual(problemsOf({ faults: faultNames.map((fault) => ({ fault })) }), [])
    const where = { path: "/uapi", tr: "H0STCNT0", key: "PSKEY", symbol: ["005930"] }
    assert.deepStrictEqual(
      problemsOf({ faults: [{ fault: "drop", from: "2026-11-24T09:00:30", for: 5, count: 3, rate: 0.5, where }] }),
      []
    )
  })

  it("that is wrong is refused with every problem and its place", () => {
    const problems = problemsOf({
      faults: [
        { fault: "drp" },
        { fault: "drop", from: "9:00", rate: 2, count: 0 },
        { fault: "drop", when: 1, where: { symbols: [] } },
        { for: 1 }
      ]
    })
    const named = (start: string, words: RegExp) =>
      assert.isTrue(
        problems.some((each) => each.startsWith(start) && words.test(each)),
        `${start} in ${problems.join("\n")}`
      )
    named("faults[0].fault: ", /drop.*reset.*burst/)
    named("faults[1].from: ", /09:00:30/)
    named("faults[1].rate: ", /above 0, at most 1/)
    named("faults[1].count: ", /whole number from 1/)
    named("faults[2].when: ", /./)
    named("faults[2].where.symbols: ", /./)
    named("faults[3].fault: ", /./)
  })

  it("may not give a fault the settings of another, or a code that does not exist", () => {
    assert.deepStrictEqual(problemsOf({ faults: [{ fault: "drop", columns: 1 }] }), [
      "faults[0].columns: drop does not take it; it has no settings of its own"
    ])
    assert.deepStrictEqual(problemsOf({ faults: [{ fault: "htmlPage", factor: 2 }] }), [
      "faults[0].factor: htmlPage does not take it; of its own it has status"
    ])
    assert.match(
      problemsOf({ faults: [{ fault: "storm", code: "EGW99999" }] }).join(),
      /^faults\[0\]\.code: EGW99999 is not one of .*EGW00201/
    )
    assert.match(problemsOf({ faults: [{ fault: "refuseSubscribe", code: "EGW00201" }] }).join(), /OPSP0008/)
  })

  it("must be JSON with a list of faults", () => {
    assert.match(problemsOf("{").join(), /not JSON/)
    assert.match(problemsOf([]).join(), /./)
    assert.match(problemsOf({ fault: [] }).join("\n"), /faults/)
  })
})

describe("the list of faults", () => {
  it("has one line of meaning for each, and the default of each setting", () => {
    assert.strictEqual(faultLines.length, faultNames.length)
    for (const line of faultLines) assert.match(line, /^\w+ +(call|stream|market) +\S.{10,}$/)
    assert.include(faultLines.find((line) => line.startsWith("moreColumns")) ?? "", "columns 1")
  })
})
