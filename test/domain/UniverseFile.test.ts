import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { isSymbolCode } from "../../src/domain/SymbolCode.ts"
import { parseUniverse, universeUrl } from "../../src/domain/UniverseFile.ts"

const header = "code,isin,name,market,kind,listedShares,baseKrw,prevVolume,flags,nxt"
const samsung = "005930,KR7005930003,삼성전자,KOSPI,common,5969782550,70000,12345678,,Y"
const right = "J2086401G,KRA2086401G2,썸에이지 35R,KOSPI,right,9793000,,0,HA,"
const file = (...lines: ReadonlyArray<string>) => [header, ...lines, ""].join("\n")

describe("the universe that is shipped", () => {
  const entries = parseUniverse(readFileSync(universeUrl, "utf8"))

  it("has 4,389 issues, each under a code of its own", () => {
    assert.strictEqual(entries.length, 4_389)
    assert.strictEqual(new Set(entries.map(({ code }) => code)).size, 4_389)
    assert.deepStrictEqual(
      entries.filter(({ code }) => !isSymbolCode(code)),
      []
    )
  })

  it("has numbers where numbers belong", () => {
    for (const { basePrice, code, listedShares, previousVolume } of entries) {
      assert.isTrue(Number.isSafeInteger(listedShares) && listedShares >= 0, code)
      assert.isTrue(Number.isSafeInteger(previousVolume) && previousVolume >= 0, code)
      assert.isTrue(basePrice === undefined || basePrice > 0, code)
    }
  })
})

describe("a universe file", () => {
  it("gives each line's values, and no base price where there is none", () => {
    assert.deepStrictEqual(parseUniverse(file(samsung, right)), [
      {
        code: "005930",
        isin: "KR7005930003",
        name: "삼성전자",
        market: "KOSPI",
        kind: "common",
        listedShares: 5_969_782_550,
        basePrice: 70_000,
        previousVolume: 12_345_678,
        flags: "",
        nxt: true
      },
      {
        code: "J2086401G",
        isin: "KRA2086401G2",
        name: "썸에이지 35R",
        market: "KOSPI",
        kind: "right",
        listedShares: 9_793_000,
        basePrice: undefined,
        previousVolume: 0,
        flags: "HA",
        nxt: false
      }
    ])
  })

  it.each(["", "\ufeff" + header, header + "\r", header.replace("code", "Code")])(
    "is refused when its first line is %j",
    (first) => {
      assert.throws(() => parseUniverse(`${first}\n${samsung}\n`), /first line should be "code,isin/)
    }
  )

  it.each([
    ["a value too few", right.slice(0, -1)],
    ["a value too many", `${right},`],
    ["no code", right.replace("J2086401G", "")],
    ["shares that are no number", right.replace("9793000", "many")],
    ["a base price that is no number", samsung.replace("70000", "7万")],
    ["a volume that is no number", samsung.replace("12345678", "x")]
  ])("is refused with the number of the line that has %s", (_, wrong) => {
    assert.throws(() => parseUniverse(file(samsung, "", wrong)), /line 4 /)
  })
})
