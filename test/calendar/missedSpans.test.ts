import { assert, describe, it } from "@effect/vitest"
import { missedSpans } from "../../src/calendar/missedSpans.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { openSpans } from "../../src/calendar/Phases.ts"

const at = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN
const missed = (lastMs: number, nowMs: number, beginsMs?: number) => missedSpans({ lastMs, nowMs, beginsMs }, openSpans)

describe("the downtime found at a start", () => {
  it("is none for a night, and a weekend, in which the market was closed", () => {
    assert.deepStrictEqual(missed(at("20261120", "200003"), at("20261123", "075500")), [])
  })

  it("is the open parts of each day that was missed", () => {
    assert.deepStrictEqual(missed(at("20261123", "140000"), at("20261124", "081500")), [
      { fromMs: at("20261123", "140000"), toMs: at("20261123", "200000") },
      { fromMs: at("20261124", "080000"), toMs: at("20261124", "081500") }
    ])
  })

  it("is none when the newest record is of later than now, or of no time at all", () => {
    assert.deepStrictEqual(missed(at("20261124", "140000"), at("20261119", "100000")), [])
    assert.deepStrictEqual(missed(at("20261124", "140000"), at("20261124", "140000")), [])
    assert.deepStrictEqual(missed(Number.NaN, at("20261124", "140000")), [])
  })

  it("does not reach back before the beginning of a rehearsal, for that was never played", () => {
    const begins = at("20270302", "082000")
    assert.deepStrictEqual(missed(at("20261124", "140000"), at("20270302", "082100"), begins), [
      { fromMs: begins, toMs: at("20270302", "082100") }
    ])
    // A restart within the rehearsal misses what it misses.
    assert.deepStrictEqual(missed(at("20270302", "090000"), at("20270302", "090500"), begins), [
      { fromMs: at("20270302", "090000"), toMs: at("20270302", "090500") }
    ])
  })

  it("of years is told as one", () => {
    assert.deepStrictEqual(missed(at("20240102", "140000"), at("20261124", "100000")), [
      { fromMs: at("20240102", "140000"), toMs: at("20261124", "100000") }
    ])
  })
})
