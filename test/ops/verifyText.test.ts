import { assert, describe, it } from "@effect/vitest"
import { rowsText } from "../../src/ops/verifyText.ts"
import type { HourRows } from "../../src/sql/HourRows.ts"

const hour = (at: string, numbers: Partial<HourRows>): HourRows => ({
  node: "seoul-1",
  hour: `2026-11-24T${at}:00:00.000Z`,
  lines: 1_000,
  rows: 1_000,
  refused: 0,
  differing: false,
  incidentLines: 2,
  incidentRows: 2,
  ...numbers
})

describe("the table of lines and rows", () => {
  it("names the hours that differ in records, gaps or rejects, and calls the others equal", () => {
    const hours = [
      hour("00", {}),
      hour("01", { rows: 998, refused: 1 }),
      hour("02", { incidentRows: 0 }),
      hour("03", { rows: 0, incidentLines: 0 })
    ]
    assert.deepStrictEqual(rowsText(hours), [
      "SQL: 4,000 lines, 2,998 rows in 4 hours, 1 of them equal",
      "  2026/11/24/10  seoul-1  1,000 lines  998 rows  difference 1",
      "  2026/11/24/11  seoul-1  1,000 lines  1,000 rows  difference 0  2 gaps and rejects in lines, 0 in rows  difference 2",
      "  2026/11/24/12  seoul-1  1,000 lines  0 rows  difference 1,000  0 gaps and rejects in lines, 2 in rows  difference -2"
    ])
  })
})
