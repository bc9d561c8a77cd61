import { assert, describe, it } from "@effect/vitest"
import { MarketWord } from "../../../src/feed/accountFeed/MarketWord.ts"

const target = (symbol: string, book = false) => ({ symbol, book })
const keys = (word: MarketWord, slots: number, ...targets: ReadonlyArray<ReturnType<typeof target>>) =>
  word.registrations(targets, slots).map(({ trId, trKey }) => `${trId} ${trKey}`)

describe("the market's own word", () => {
  it("comes before all trades, and these before all books, and costs the plan one slot", () => {
    const word = new MarketWord(true)
    assert.strictEqual(word.leaves(41), 40)
    assert.deepStrictEqual(keys(word, 41, target("005930", true), target("000660")), [
      "H0STMKO0 005930",
      "H0STCNT0 005930",
      "H0STCNT0 000660",
      "H0STASP0 005930"
    ])
    assert.deepStrictEqual(keys(word, 41), [])
  })

  it("stays with its symbol while that is streamed, and goes to the most important one after it", () => {
    const word = new MarketWord(true)
    assert.strictEqual(keys(word, 41, target("005930"), target("000660"))[0], "H0STMKO0 005930")
    assert.strictEqual(keys(word, 41, target("000660"), target("005930"))[0], "H0STMKO0 005930")
    assert.strictEqual(keys(word, 41, target("000660"), target("0000Y0"))[0], "H0STMKO0 000660")
  })

  it("takes no slot of the mock, of one slot alone, nor while the broker refuses it", () => {
    const word = new MarketWord(true)
    for (const [each, slots] of [
      [new MarketWord(false), 41],
      [word, 1]
    ] as const) {
      assert.strictEqual(each.leaves(slots), slots)
      assert.deepStrictEqual(keys(each, slots, target("005930")), ["H0STCNT0 005930"])
    }
    assert.deepStrictEqual([word.refused(), word.refused(), word.leaves(41)], [true, false, 41])
    assert.deepStrictEqual([word.again(), word.again(), word.leaves(41)], [true, false, 40])
  })
})
