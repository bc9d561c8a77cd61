import { assert, describe, it } from "@effect/vitest"
import { isSymbolCode } from "../../src/domain/SymbolCode.ts"

describe("a symbol's code", () => {
  it.each(["005930", "0000Y0", "Q500001", "0001", "F70100030", "J0619701G"])("may be %s", (code) => {
    assert.isTrue(isSymbolCode(code))
  })

  it.each([
    "",
    "593",
    "0059300000",
    "00593a",
    "005930 ",
    " 005930",
    "005930\n",
    "00-930",
    "００５９３０",
    "삼성전자",
    5930,
    null
  ])("may not be %j", (code) => {
    assert.isFalse(isSymbolCode(code))
  })
})
