import { assert, describe, it } from "@effect/vitest"
import { marketStatus } from "../../src/feed/KisMarketStatus.ts"
import { meaningOfMarketCode, phaseOfMarketCode } from "../../src/feed/marketCodes.ts"

const read = (text: string) => marketStatus(text.split("^"), 7)

describe("the market's own word", () => {
  it("as captured of one symbol has no code, and is neither a halt nor an interruption", () => {
    assert.deepStrictEqual(read("396300^N^(null)^^311^^^55^N^N"), {
      atMs: 7,
      symbol: "396300",
      code: "",
      meaning: undefined,
      phase: undefined,
      expectedCode: "311",
      isHalted: false,
      isInterrupted: false
    })
  })

  it("as captured in an interruption and in a circuit breaker says so", () => {
    assert.deepInclude(read("003160^N^(null)^AB1^311^^^55^Y^"), { code: "AB1", isInterrupted: true, isHalted: false })
    assert.deepInclude(read("058730^Y^(null)^AF8^112^^^55^N^N^1"), { code: "AF8", isHalted: true, phase: "halt" })
  })

  it("of a table without the symbol is read one column earlier", () => {
    assert.deepInclude(read("N^(null)^110^311^^^55^Y^N^1"), {
      symbol: undefined,
      code: "110",
      phase: "openingAuction",
      isInterrupted: true
    })
  })

  it("with a code that nobody knows is kept as it came", () => {
    assert.deepInclude(read("005930^N^(null)^ZZ9^112^^^55^N^N^1"), {
      code: "ZZ9",
      meaning: undefined,
      phase: undefined
    })
    assert.isUndefined(meaningOfMarketCode("constructor"))
  })

  it("names the phases that codes begin, and none for a sidecar or a countdown", () => {
    const phases = {
      openingAuction: ["110"],
      continuous: ["112", "175", "185"],
      closingAuction: ["121", "182"],
      afterClose: ["129", "140"],
      afterMarket: ["150"],
      halt: ["164", "174", "184"]
    }
    for (const [phase, codes] of Object.entries(phases))
      for (const code of codes) assert.strictEqual(phaseOfMarketCode(code), phase, code)
    for (const code of ["139", "387", "397", "F01", "P06", "AB1", "BF9"]) assert.isUndefined(phaseOfMarketCode(code))
  })
})
