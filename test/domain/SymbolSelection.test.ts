import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { isChoosable, parseSymbolFile, parseSymbolSelection, selectionText } from "../../src/domain/SymbolSelection.ts"
import { parseUniverse, universeUrl } from "../../src/domain/UniverseFile.ts"

describe("the codes that can be asked for", () => {
  it("are those of every listed issue, and of an index", () => {
    const listed = ["universe.csv", "konex.csv"].flatMap((name) =>
      parseUniverse(readFileSync(new URL(name, universeUrl), "utf8"))
    )
    assert.deepStrictEqual(
      listed.filter(({ code }) => !isChoosable(code)),
      []
    )
    assert.isTrue(isChoosable("2001"))
  })

  it.each(["", "593", "59300", "5930000", "samsung", "SAMSUNG", "00593O ", "Q5000011", "F7010003", "A70100030"])(
    "are not %j",
    (word) => assert.isFalse(isChoosable(word))
  )
})

describe("a selection", () => {
  it.each(["all", "top:300", "@codes.txt", "005930,0000Y0,Q500001,F70100030,0001"])("is written as %s", (text) => {
    assert.strictEqual(selectionText(Result.getOrThrow(parseSymbolSelection(text))), text)
  })

  it("in a file may have remarks, commas, a byte order mark and the line ends of Windows", () => {
    const codes = parseSymbolFile("\ufeff005930 # 삼성전자, 000660\r\n0000Y0,Q500001\r\n\r\n005930\r\n#\r\n0001")
    assert.deepStrictEqual(Result.getOrThrow(codes) as ReadonlyArray<string>, ["005930", "0000Y0", "Q500001", "0001"])
  })
})
