import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { marketAt, parseClockLine } from "../../src/calendar/ClockLine.ts"

const Seconds = Schema.Int.check(Schema.isBetween({ minimum: -100_000, maximum: 100_000 }))

describe("a clock line", () => {
  it("reads wall instant, market instant and speed", () => {
    const line = { wallMs: Date.UTC(2026, 10, 24), marketMs: Date.UTC(2026, 10, 18, 23, 20), speed: 60 }
    for (const text of [
      "2026-11-24T00:00:00Z=2026-11-19T08:20:00+09:00x60",
      "2026-11-24T09:00:00+09:00=2026-11-19T08:20:00x60",
      " 2026-11-24T00:00Z=2026-11-18T23:20:00.000Zx60 "
    ]) {
      assert.deepStrictEqual(parseClockLine(text), Result.succeed(line))
    }
    assert.deepStrictEqual(
      parseClockLine("2026-11-24T00:00:00Z=2026-11-19T08:20:00x0.5"),
      Result.succeed({ ...line, speed: 0.5 })
    )
  })

  it.prop("runs as fast as it says, forwards and backwards", [Seconds], ([seconds]) => {
    const line = { wallMs: 1_000_000, marketMs: 500_000, speed: 60 }
    assert.strictEqual(marketAt(line, 1_000_000 + seconds * 1_000), 500_000 + seconds * 60_000)
  })

  it.each([
    ["", /is written/],
    ["2026-11-24T00:00:00Z=2026-11-19T08:20:00", /is written/],
    ["2026-11-24T00:00:00=2026-11-19T08:20:00x60", /wall instant .* with its zone/],
    ["2026-11-24=2026-11-19T08:20:00x60", /wall instant/],
    ["2026-11-24T00:00:00Z=2026-11-39T08:20:00x60", /market instant/],
    ["2026-11-24T00:00:00Z=2026-11-19T08:20:00x0", /speed "0"/],
    ["2026-11-24T00:00:00Z=2026-11-19T08:20:00x0.000000001", /at least 0.001 and at most 1000/],
    ["2026-11-24T00:00:00Z=2026-11-19T08:20:00x5000", /speed "5000"/],
    ["2026-11-24T00:00:00Z=2026-11-19T08:20:00xfast", /speed "fast"/]
  ])("%j is refused in words", (text, words) => {
    const read = parseClockLine(text)
    assert.isTrue(Result.isFailure(read))
    if (Result.isFailure(read)) assert.match(read.failure, words)
  })
})
