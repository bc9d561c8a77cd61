import { assert, describe, it } from "@effect/vitest"
import { staleLogs } from "../../src/ops/logging/staleLogs.ts"

const nameOf = (day: number, index = 1) => `observer-202611${String(day).padStart(2, "0")}-${index}.log`
const noonOf = (day: number) => Date.UTC(2026, 10, day, 12)
const days = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => nameOf(from + index))

describe("the rotated files of the log that go", () => {
  it("are those older than the days kept", () => {
    assert.deepStrictEqual(staleLogs([...days(1, 9), "observer.log"], 5, noonOf(10)).toSorted(), days(1, 4))
  })

  it("are none by a clock that jumps ahead, until it has rotated on two days", () => {
    const year_ms = 365 * 86_400_000
    assert.deepStrictEqual(staleLogs(days(5, 9), 6, noonOf(10) + year_ms), [])
    assert.deepStrictEqual(staleLogs([...days(5, 9), "observer-20271110-1.log"], 6, noonOf(10) + year_ms), [])
    const begun = [...days(5, 9), "observer-20271110-1.log", "observer-20271111-1.log"]
    assert.deepStrictEqual(staleLogs(begun, 6, noonOf(12) + year_ms).toSorted(), days(5, 9))
  })

  it("are the oldest beyond twice as many files as days, whatever their day", () => {
    const many = Array.from({ length: 6 }, (_, index) => nameOf(9, index + 1))
    assert.deepStrictEqual(staleLogs(many, 2, noonOf(9)).toSorted(), [nameOf(9, 1), nameOf(9, 2)])
  })
})
