import { assert, describe, it } from "@effect/vitest"
import { marketDate, marketHour, marketInstant } from "../../src/calendar/MarketTime.ts"
import { expectedDate, nextRefresh, type RefreshOutcome } from "../../src/plan/RefreshTimes.ts"

const at = (text: string) => marketInstant(text.slice(0, 8), text.slice(9)) ?? assert.fail(text)
const shown = (atMs: number) => `${marketDate(atMs)} ${marketHour(atMs)}`

describe("the times of looking for master files", () => {
  // 2026-07-17 is a holiday and a Friday, the 18th a Saturday.
  it.each([
    ["20260722 073959", "20260721"],
    ["20260722 074000", "20260722"],
    ["20260722 235959", "20260722"],
    ["20260723 000000", "20260722"],
    ["20260719 120000", "20260716"],
    ["20260720 074000", "20260720"]
  ])("at %s the newest list should be that of %s", (now, date) => {
    assert.strictEqual(expectedDate(at(now), new Map()), date)
  })

  it.each([
    ["20260722 030000", "current", "20260722 074000"],
    ["20260722 074000", "current", "20260723 074000"],
    ["20260716 100000", "current", "20260720 074000"],
    ["20260722 074003", "unchanged", "20260722 082000"],
    ["20260722 082004", "unchanged", "20260722 085004"],
    ["20260722 153500", "unchanged", "20260722 160500"],
    ["20260722 160500", "unchanged", "20260723 074000"],
    ["20260719 090000", "unchanged", "20260719 093000"],
    ["20260722 073800", "failed", "20260722 074000"],
    ["20260722 074003", "failed", "20260722 074503"],
    ["20260722 074003", "partly", "20260722 074503"],
    ["20260722 155900", "partly", "20260722 160400"],
    ["20260722 160400", "partly", "20260723 074000"],
    ["20260718 120000", "failed", "20260718 120500"]
  ] as ReadonlyArray<readonly [string, RefreshOutcome, string]>)("after %s and %s comes %s", (now, outcome, next) => {
    assert.strictEqual(shown(nextRefresh(at(now), outcome, new Map())), next)
  })

  it("follow what the broker says of single days", () => {
    const said = new Map([
      ["20260717", true],
      ["20260723", false]
    ])
    assert.strictEqual(expectedDate(at("20260717 080000"), said), "20260717")
    assert.strictEqual(expectedDate(at("20260723 120000"), said), "20260722")
    assert.strictEqual(shown(nextRefresh(at("20260716 100000"), "current", said)), "20260717 074000")
    assert.strictEqual(shown(nextRefresh(at("20260722 100000"), "current", said)), "20260724 074000")
  })
})
