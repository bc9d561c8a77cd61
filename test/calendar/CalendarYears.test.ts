import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketDate, marketHour, marketInstant, marketMidnight } from "../../src/calendar/MarketTime.ts"
import { expectedPhase, nextPhaseChange, openSpans } from "../../src/calendar/Phases.ts"
import { calendarKnownTo, dayKind, isTradingDay, type SaidDays } from "../../src/calendar/TradingDays.ts"

const day_ms = 86_400_000

/** Every date of some years, by the calendar of `Date` in UTC, where no zone can disturb it. */
const datesOf = (...years: ReadonlyArray<number>) =>
  years.flatMap((year) => {
    const dates: Array<{ readonly date: string; readonly weekday: number }> = []
    for (let at = Date.UTC(year, 0, 1); new Date(at).getUTCFullYear() === year; at += day_ms) {
      dates.push({
        date: new Date(at).toISOString().slice(0, 10).replaceAll("-", ""),
        weekday: new Date(at).getUTCDay()
      })
    }
    return dates
  })

const tradingDays = (year: number) => datesOf(year).filter(({ date }) => isTradingDay(date)).length

describe("whole years of days", () => {
  it("have the trading days that are left when weekends and the published closures are taken off", () => {
    // 261 weekdays each; 17 closures of 2026 and 15 of 2027 stand in the table.
    assert.deepStrictEqual([tradingDays(2026), tradingDays(2027)], [261 - 17, 261 - 15])
  })

  it("end with a closed day and begin late, once a year", () => {
    for (const year of [2026, 2027, 2028, 2029, 2030]) {
      const kinds = datesOf(year).map(({ date, weekday }) => ({ date, weekday, kind: dayKind(date, weekday) }))
      const open = kinds.filter(({ kind }) => kind !== "closed")
      assert.strictEqual(open[0]?.kind, "newYear", `${year}`)
      assert.strictEqual(open.filter(({ kind }) => kind === "newYear").length, 1, `${year}`)
      assert.strictEqual(kinds.findLast(({ weekday }) => weekday > 0 && weekday < 6)?.kind, "closed", `${year}`)
    }
  })

  it("beyond the table know the holidays that the law dates, and no others", () => {
    const closed = datesOf(2028)
      .filter(({ date, weekday }) => weekday > 0 && weekday < 6 && !isTradingDay(date))
      .map(({ date }) => date.slice(4))
    assert.strictEqual(closed.join(" "), "0301 0501 0505 0606 0717 0815 1003 1009 1225 1229")
  })
})

describe("what the broker has said", () => {
  const said: SaidDays = new Map([
    ["20261124", false],
    ["20261009", true],
    ["20270104", false],
    ["20280301", true]
  ])

  it("stands above the table, both ways, and leaves every other day alone", () => {
    for (const { date } of datesOf(2026, 2027, 2028)) {
      assert.strictEqual(isTradingDay(date, said), said.get(date) ?? isTradingDay(date), date)
    }
  })

  it("moves the late first day of the year with it", () => {
    assert.strictEqual(dayKind("20270105", 2, said), "newYear")
    assert.strictEqual(dayKind("20270105", 2), "ordinary")
  })

  it("carries what is known beyond the table while it has no hole", () => {
    assert.strictEqual(calendarKnownTo("20261124"), "20271231")
    assert.isUndefined(calendarKnownTo("20280103"))
    const days = (...dates: ReadonlyArray<string>): SaidDays => new Map(dates.map((date) => [date, true]))
    assert.strictEqual(calendarKnownTo("20261124", days("20280101", "20280102", "20280104")), "20280102")
    assert.strictEqual(calendarKnownTo("20280103", days("20280103", "20280104")), "20280104")
    assert.isUndefined(calendarKnownTo("20280105", days("20280103", "20280104")))
  })
})

const Second = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 * 366 * 86_400 }))
const from = marketMidnight("20260101")

describe("the next change of phase", () => {
  it.prop("is the first instant with another phase, and none lies before it", [Second], ([second]) => {
    const atMs = from + second * 1_000
    const phase = expectedPhase(atMs)
    const next = nextPhaseChange(atMs) ?? Number.NaN
    assert.isAbove(next, atMs)
    assert.notStrictEqual(expectedPhase(next), phase)
    assert.strictEqual(expectedPhase(next - 1), phase)
    // Piecewise constant: no phase is shorter than ten minutes, so looking every five misses none.
    for (let at = atMs; at < next; at += 300_000) assert.strictEqual(expectedPhase(at), phase)
  })

  it("walks through two years and finds exactly the changes that a look at every minute finds", () => {
    const end = marketMidnight("20280101")
    const walked: Array<number> = []
    for (let at = nextPhaseChange(from); at !== undefined && at < end; at = nextPhaseChange(at)) walked.push(at)
    const looked: Array<number> = []
    let before = expectedPhase(from)
    for (let at = from + 60_000; at < end; at += 60_000) {
      const phase = expectedPhase(at)
      if (phase !== before) looked.push(at)
      before = phase
    }
    assert.deepStrictEqual(walked, looked)
  })

  it("is none where nothing opens for forty days", () => {
    const closed: SaidDays = new Map(datesOf(2027).map(({ date }) => [date, false]))
    assert.isUndefined(nextPhaseChange(marketMidnight("20270301"), closed))
  })
})

describe("the open parts of a time", () => {
  const at = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN
  const told = (fromMs: number, toMs: number, said?: SaidDays) =>
    openSpans(fromMs, toMs, said).map(
      (span) => `${marketDate(span.fromMs)} ${marketHour(span.fromMs)}-${marketHour(span.toMs)}`
    )

  it("are none in a night, over a weekend and on a holiday", () => {
    assert.deepStrictEqual(told(at("20261120", "200000"), at("20261123", "080000")), [])
    assert.deepStrictEqual(told(at("20261008", "220000"), at("20261009", "180000")), [])
  })

  it("are what was open before and after a night, day by day", () => {
    assert.deepStrictEqual(told(at("20261118", "150000"), at("20261120", "081500")), [
      "20261118 150000-200000",
      "20261119 090000-200000",
      "20261120 080000-081500"
    ])
    assert.deepStrictEqual(told(at("20261118", "150000"), at("20261120", "081500"), new Map([["20261119", false]])), [
      "20261118 150000-200000",
      "20261120 080000-081500"
    ])
  })

  it.prop("add up to what a look at every minute finds open", [Second, Second], ([a, b]) => {
    const minute = 60_000
    const fromMs = from + Math.floor(Math.min(a, b) / 60) * minute
    const toMs = Math.min(fromMs + 20 * day_ms, from + Math.floor(Math.max(a, b) / 60) * minute)
    let open = 0
    for (let at = fromMs; at < toMs; at += minute) if (expectedPhase(at) !== "closed") open += minute
    const spans = openSpans(fromMs, toMs)
    assert.strictEqual(
      spans.reduce((sum, span) => sum + span.toMs - span.fromMs, 0),
      open
    )
  })
})
