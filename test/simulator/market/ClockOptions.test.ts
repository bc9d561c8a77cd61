import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { clockOptions, clockOptionsOf } from "../../../src/simulator/market/ClockOptions.ts"
import { at } from "./floors.ts"

describe("the clock that was asked for", () => {
  it("is real time in a market that never closes when nothing is said", () => {
    assert.deepStrictEqual(clockOptionsOf({}), Result.succeed(clockOptions))
  })

  it("begins at 08:20 of a date unless told the time", () => {
    const begins = (given: Parameters<typeof clockOptionsOf>[0]) =>
      Result.map(clockOptionsOf(given), ({ beginsAtMs, hours, speed }) => `${beginsAtMs} ${hours} ${speed}`)
    const calendar = (hour: string, speed: number) => `${at("20261119", hour)} calendar ${speed}`
    assert.deepStrictEqual(begins({ date: "2026-11-19", speed: 60 }), Result.succeed(calendar("082000", 60)))
    assert.deepStrictEqual(begins({ date: "20261119", time: "152500" }), Result.succeed(calendar("152500", 1)))
  })

  it("may be tied to the wall's", () => {
    const line = "2026-11-24T00:00:00Z=2026-11-19T08:20:00x60"
    assert.deepStrictEqual(
      clockOptionsOf({ line }),
      Result.succeed({
        hours: "calendar" as const,
        beginsAtMs: undefined,
        speed: 60,
        line: { wallMs: Date.UTC(2026, 10, 24), marketMs: at("20261119", "082000"), speed: 60 }
      })
    )
  })

  it.each([
    [{ date: "2026-02-30" }, /no date "2026-02-30"/],
    [{ date: "2026-11-19", time: "2500" }, /"2500" is no time/],
    [{ time: "090000" }, /needs a date/],
    [{ speed: 0 }, /at least 0.001/],
    [{ speed: 1e-9 }, /at least 0.001/],
    [{ speed: Number.NaN }, /at least 0.001/],
    [{ line: "now", speed: 2 }, /leave these away/],
    [{ line: "now" }, /is written/]
  ])("%j is refused in words", (given, words) => {
    const read = clockOptionsOf(given)
    assert.isTrue(Result.isFailure(read))
    if (Result.isFailure(read)) assert.match(read.failure, words)
  })
})
