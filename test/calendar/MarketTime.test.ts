import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  hourFolder,
  marketDate,
  marketDay,
  marketHour,
  marketInstant,
  marketMidnight,
  marketWeekday,
  millisOfDay
} from "../../src/calendar/MarketTime.ts"

const day_ms = 86_400_000
/** Whole seconds from 1900 to 2199. */
const Second = Schema.Int.check(
  Schema.isBetween({ minimum: Date.UTC(1900, 0, 1) / 1_000, maximum: Date.UTC(2199, 11, 31) / 1_000 })
)

describe("market time", () => {
  it.prop("reads back the instant it was written from", [Second], ([seconds]) => {
    const atMs = seconds * 1_000
    assert.strictEqual(marketInstant(marketDate(atMs), marketHour(atMs)), atMs)
  })

  const Clock = Schema.String.check(Schema.isPattern(/^[0-9: x٣]{5,7}$/))
  it.prop("takes for a wall clock time what is one, and only that", [Clock], ([hour]) => {
    const isOne = /^([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$/.test(hour)
    const plain = Date.parse(`2026-09-14T${hour.slice(0, 2)}:${hour.slice(2, 4)}:${hour.slice(4)}+09:00`)
    assert.strictEqual(marketInstant("20260914", hour), isOne ? plain : undefined)
  })

  it.prop("numbers its days as its dates follow each other", [Second, Second], ([one, other]) => {
    const [first, second] = [one * 1_000, other * 1_000]
    assert.strictEqual(marketDay(first) === marketDay(second), marketDate(first) === marketDate(second))
    assert.strictEqual(marketDay(first) < marketDay(second), marketDate(first) < marketDate(second))
    assert.strictEqual(marketDay(first + day_ms), marketDay(first) + 1)
  })

  it.prop("is nine hours ahead of UTC at every instant", [Second], ([seconds]) => {
    const atMs = seconds * 1_000 + 999
    const utc = new Date(atMs + 9 * 3_600_000).toISOString()
    assert.strictEqual(marketDate(atMs), utc.slice(0, 10).replaceAll("-", ""))
    assert.strictEqual(marketHour(atMs), utc.slice(11, 19).replaceAll(":", ""))
    assert.strictEqual(hourFolder(atMs), utc.slice(0, 13).replaceAll("-", "/").replace("T", "/"))
    assert.strictEqual(marketWeekday(atMs), new Date(utc).getUTCDay())
    assert.strictEqual(millisOfDay(atMs), atMs - marketMidnight(marketDate(atMs)))
    assert.isTrue(millisOfDay(atMs) >= 0 && millisOfDay(atMs) < day_ms)
  })

  it.each([
    ["20261231", "235959", "2026-12-31T14:59:59.000Z"],
    ["20270101", "000000", "2026-12-31T15:00:00.000Z"],
    ["20240229", "090000", "2024-02-29T00:00:00.000Z"],
    ["20000229", "000000", "2000-02-28T15:00:00.000Z"]
  ])("takes %s %s for %s", (date, hour, utc) => {
    assert.strictEqual(marketInstant(date, hour), Date.parse(utc))
  })

  it.each([
    ["20260231", "090000"],
    ["20260229", "090000"],
    ["20260431", "090000"],
    ["20261301", "090000"],
    ["20260001", "090000"],
    ["20260100", "090000"],
    ["00000000", "090000"],
    ["00010101", "090000"],
    ["00991231", "090000"],
    ["2026112", "090000"],
    ["202611245", "090000"],
    ["        ", "090000"],
    ["", "090000"],
    ["20261124\n", "090000"],
    ["2026-1-4", "090000"],
    ["20261124", "256000"],
    ["20261124", "240000"],
    ["20261124", "096000"],
    ["20261124", "090060"],
    ["20261124", "90000"],
    ["20261124", "0900000"],
    ["20261124", "090000\n"],
    ["20261124", "      "],
    ["20261124", ""]
  ])("refuses %j %j", (date, hour) => {
    assert.isUndefined(marketInstant(date, hour))
  })

  it("names no midnight for what is no date", () => {
    assert.isNaN(marketMidnight("20260231"))
    assert.strictEqual(marketMidnight("20261124"), Date.parse("2026-11-23T15:00:00Z"))
  })

  it.each([
    ["2026-11-23T14:59:59.999Z", "2026/11/23/23"],
    ["2026-11-23T15:00:00.000Z", "2026/11/24/00"],
    ["2026-11-24T00:59:59.999Z", "2026/11/24/09"],
    ["2026-12-31T14:59:59.999Z", "2026/12/31/23"],
    ["2026-12-31T15:00:00.000Z", "2027/01/01/00"],
    ["2028-02-28T15:00:00.000Z", "2028/02/29/00"]
  ])("puts %s into the folder %s", (utc, folder) => {
    assert.strictEqual(hourFolder(Date.parse(utc)), folder)
  })
})
