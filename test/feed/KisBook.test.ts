import { assert, describe, it } from "@effect/vitest"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { bookSighting } from "../../src/feed/KisBook.ts"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { refusal } from "../../src/shard/Guard.ts"
import { next, type SymbolState } from "../../src/shard/SymbolState.ts"
import { capturedFrame, capturedFrames } from "../support/samples.ts"
import { quote } from "../shard/fixtures.ts"

const receivedAtMs = marketInstant("20260922", "140611") ?? Number.NaN
const heartbeat_ms = 300_000
const valuesOf = (id: string): ReadonlyArray<string> => {
  const frame = decodeFrame(capturedFrame(id))
  if (frame._tag !== "Records") throw new Error(`${id} is ${frame._tag}`)
  return frame.records[0] ?? []
}
const changed = (changes: Readonly<Record<number, string>>, id = "H0STASP0-067") =>
  bookSighting(
    valuesOf(id).map((value, at) => changes[at] ?? value),
    receivedAtMs,
    0
  )
const ladder = (from: number, to: number, value: string) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, n) => [from + n, value]))

describe("a captured book", () => {
  it("of 63 columns has the best of each side, its time, its phase and no price", () => {
    const book = changed({})
    assert.deepInclude(book, {
      symbol: "005930",
      kind: "book",
      venue: "KRX",
      receivedAtMs,
      exchangeAtMs: marketInstant("20260922", "140610"),
      phase: "continuous",
      ask: 278_000,
      bid: 277_500,
      cumVolume: 11_955_000,
      flags: ["midpoint"]
    })
    assert.isUndefined(book.price)
    assert.deepStrictEqual(book.payload, valuesOf("H0STASP0-067"))
  })

  it("of 59 and 62 columns has no phase of its own", () => {
    for (const id of ["H0STASP0-040", "H0STASP0-044"]) assert.isUndefined(changed({}, id).phase)
  })

  it("is data, every one of them, and none says it is of an auction", () => {
    const books = capturedFrames.filter(({ tr }) => tr === "H0STASP0")
    assert.strictEqual(books.length, 28)
    for (const { id } of books) {
      const book = changed({}, id)
      assert.isUndefined(refusal(book), id)
      assert.isTrue((book.ask ?? 0) > (book.bid ?? 0), id)
      assert.notInclude(book.flags, "auction")
    }
  })
})

describe("a book", () => {
  it("of an auction says so by its class or by its expected match", () => {
    assert.deepInclude(changed({ 2: "B", 60: "0" }), { phase: "openingAuction", flags: ["auction"] })
    assert.deepInclude(changed({ 2: "A", 60: "0" }), { phase: "closingAuction", flags: ["auction"] })
    assert.deepStrictEqual(changed({ 2: "C", 60: "0" }).flags, ["auction", "vi"])
    assert.deepStrictEqual(changed({ 47: "277500", 60: "0" }).flags, ["auction"])
  })

  it("of a stock at its limit has one side, and zero is not a price", () => {
    const locked = changed(ladder(3, 13, "0"))
    assert.isUndefined(locked.ask)
    assert.strictEqual(locked.bid, 277_500)
    assert.isUndefined(refusal(locked))
  })

  for (const [name, changes, reason] of [
    ["without a price on either side", { ...ladder(3, 23, "0") }, "emptyBook"],
    ["of blanks", { ...ladder(3, 43, "") }, "emptyBook"],
    ["with a price below zero", { 3: "-278000" }, "zeroPrice"],
    ["with a value deep in its ladder that is no number", { 21: "x" }, "badNumber"],
    ["whose volume is no number", { 53: "1e5" }, "badNumber"]
  ] as const) {
    it(`${name} is refused as ${reason}`, () => assert.strictEqual(refusal(changed(changes)), reason))
  }

  it("of before midnight that comes after it is of the day before", () => {
    const midnightMs = marketInstant("20260923", "000000") ?? Number.NaN
    const values = valuesOf("H0STASP0-067").map((value, at) => (at === 1 ? "235959" : value))
    assert.strictEqual(bookSighting(values, midnightMs + 500, 0).exchangeAtMs, midnightMs - 1_000)
  })

  it("that says the same at another time is a duplicate until the heartbeat, whatever was swept meanwhile", () => {
    let state: SymbolState | undefined
    const verdicts = [
      changed({}),
      quote("swept", receivedAtMs),
      changed({ 1: "140611" }),
      quote("swept", receivedAtMs),
      changed({ 23: "47585" }),
      changed({}),
      { ...changed({}), receivedAtMs: receivedAtMs + heartbeat_ms }
    ].map((sighting) => {
      const judged = next(state, sighting, heartbeat_ms)
      state = judged.state
      return judged.verdict._tag
    })
    assert.deepStrictEqual(verdicts, ["Store", "Store", "Duplicate", "Duplicate", "Store", "Store", "Store"])
  })
})
