import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { multiPriceSighting, numberOf, priceSighting } from "../../src/feed/KisQuote.ts"
import { refusal } from "../../src/shard/Guard.ts"
import { sampleJson } from "../support/samples.ts"

type Row = Readonly<Record<string, string>>
const at = Date.UTC(2026, 8, 14, 1)
const [samsung = {}, second = {}] = sampleJson<{ body: { output: ReadonlyArray<Row> } }>("intstock-multprice.json").body
  .output
const price = sampleJson<{ body: { output: Row } }>("inquire-price.json").body.output
const reduced = sampleJson<{
  holiday_20260817_085945: ReadonlyArray<readonly [string, string, string, string]>
  preopen_20260818: ReadonlyArray<readonly [string, string, string, string]>
  partial_row_20260814: Row
}>("intstock-multprice-reduced.json")

describe("a number of the broker's", () => {
  for (const [text, number] of [
    ["77400", 77_400],
    ["0", 0],
    ["-800", -800],
    ["+5", 5],
    ["0012", 12],
    [" 77400 ", 77_400],
    ["92646.96", 92_646.96],
    ["", undefined],
    ["   ", undefined],
    [undefined, undefined],
    ["1e5", Number.NaN],
    ["1,000", Number.NaN],
    ["0x10", Number.NaN],
    ["Infinity", Number.NaN],
    ["-", Number.NaN],
    ["1.", Number.NaN],
    [".5", Number.NaN],
    ["(null)", Number.NaN]
  ] as const) {
    it(`${JSON.stringify(text)} is ${number}`, () => assert.deepStrictEqual(numberOf(text), number))
  }

  it("may come as a number or as null, and spoils nothing but itself where it is neither", () => {
    const row = { ...samsung, inter2_prpr: 77_400, inter2_askp: null, acml_vol: { odd: true } }
    const sighting = multiPriceSighting(row, at)
    assert.deepInclude(sighting, { symbol: "005930", price: 77_400, ask: undefined, cumVolume: Number.NaN })
    assert.strictEqual(sighting.payload, row)
    assert.strictEqual(refusal(sighting), "badNumber")
  })

  it("of fifteen digits is exact, of more it is the nearest, and of hundreds it is none", () => {
    for (const text of ["999999999999999", "123456789012345", "9007199254740993", "-123456789012345678"])
      assert.strictEqual(numberOf(text), Number(text))
    assert.isNaN(numberOf("9".repeat(400)))
  })

  const Digits = Schema.String.check(Schema.isPattern(/^[ +-]?[0-9]{0,17}(\.[0-9]{0,3})?[ x٣]?$/))
  it.prop("is what a plain reading makes of it", [Digits], ([text]) => {
    const trimmed = text.trim()
    const plain = trimmed === "" ? undefined : /^[+-]?[0-9]+(\.[0-9]+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN
    assert.deepStrictEqual(numberOf(text), plain)
  })

  it.prop("is a finite number, unknown or NaN, whatever comes", [Schema.String], ([text]) => {
    const number = numberOf(text)
    assert.isTrue(number === undefined || Number.isFinite(number) || Number.isNaN(number))
  })
})

describe("a captured row of multi-price", () => {
  it("becomes a quote of its own symbol, unchanged in its payload", () => {
    const sighting = multiPriceSighting(samsung, at)
    assert.deepInclude(sighting, {
      symbol: "005930",
      kind: "quote",
      venue: "KRX",
      receivedAtMs: at,
      price: 77_400,
      flags: []
    })
    assert.strictEqual(sighting.cumVolume, Number(samsung["acml_vol"]))
    assert.strictEqual(sighting.ask, Number(samsung["inter2_askp"]))
    assert.strictEqual(sighting.bid, Number(samsung["inter2_bidp"]))
    assert.isUndefined(sighting.exchangeAtMs)
    assert.strictEqual(sighting.payload, samsung)
    assert.isUndefined(refusal(sighting))
  })

  it("of a symbol differs from another's", () => {
    assert.notStrictEqual(multiPriceSighting(second, at).sameness, multiPriceSighting(samsung, at).sameness)
    assert.notStrictEqual(multiPriceSighting(second, at).symbol, "005930")
  })

  it("with few fields, as one client kept it, is a quote all the same", () => {
    assert.deepInclude(multiPriceSighting(reduced.partial_row_20260814, at), {
      symbol: "005930",
      price: 274_500,
      ask: undefined
    })
  })

  it("of the pre-open auction says so, of a holiday it does not", () => {
    const rowOf = ([code, hour, expected, volume]: readonly [string, string, string, string]) =>
      multiPriceSighting(
        { inter_shrn_iscd: code, hour_cls_code: hour, intr_antc_vol: expected, acml_vol: volume, inter2_prpr: "1" },
        at
      )
    assert.isTrue(reduced.preopen_20260818.map(rowOf).every(({ phase }) => phase === "openingAuction"))
    assert.isTrue(reduced.holiday_20260817_085945.map(rowOf).every(({ phase }) => phase === undefined))
    assert.strictEqual(multiPriceSighting({ ...samsung, hour_cls_code: "A" }, at).phase, "closingAuction")
  })
})

describe("a row", () => {
  it("is the same when every field is, and only then", () => {
    const same = multiPriceSighting({ ...samsung }, at + 60_000)
    assert.strictEqual(same.sameness, multiPriceSighting(samsung, at).sameness)
    for (const key of Object.keys(samsung)) {
      assert.notStrictEqual(multiPriceSighting({ ...samsung, [key]: "changed" }, at).sameness, same.sameness, key)
    }
  })

  it("beyond the day's limits is kept and flagged", () => {
    const limits = { inter2_llam: "54500", inter2_mxpr: "101000" }
    const flagsAt = (text: string) => multiPriceSighting({ ...samsung, ...limits, inter2_prpr: text }, at).flags
    assert.deepStrictEqual(["54500", "101000", "54499", "101001"].map(flagsAt), [[], [], ["outlier"], ["outlier"]])
    assert.deepStrictEqual(multiPriceSighting({ ...samsung, inter2_llam: "0", inter2_mxpr: "0" }, at).flags, [])
  })

  it("of an index is an index", () => {
    assert.strictEqual(multiPriceSighting({ ...samsung, inter_shrn_iscd: "0001" }, at).kind, "index")
  })

  it("that names no symbol has an empty one, and a padded code is trimmed", () => {
    const { inter_shrn_iscd: _code, ...nameless } = samsung
    assert.strictEqual(multiPriceSighting(nameless, at).symbol, "")
    assert.strictEqual(multiPriceSighting({ ...samsung, inter_shrn_iscd: "005930   " }, at).symbol, "005930")
  })

  it("of a symbol the broker has no data for is refused by its reason", () => {
    assert.strictEqual(refusal(multiPriceSighting({ ...samsung, inter2_prpr: "" }, at)), "blankPrice")
    assert.strictEqual(refusal(multiPriceSighting({ ...samsung, inter2_prpr: "0" }, at)), "zeroPrice")
    assert.strictEqual(refusal(priceSighting("005930", {}, at)), "blankPrice")
  })

  it("of the single price is of the symbol that was asked for", () => {
    const sighting = priceSighting("005930", price, at)
    assert.deepInclude(sighting, {
      symbol: "005930",
      kind: "quote",
      price: Number(price["stck_prpr"]),
      cumVolume: Number(price["acml_vol"]),
      flags: []
    })
    assert.strictEqual(sighting.payload, price)
  })
})
