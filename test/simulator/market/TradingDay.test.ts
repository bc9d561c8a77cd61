import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type DayHours, makeAuditor } from "./auditor.ts"
import { at, openFloor, runTo } from "./floors.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))

const ordinary: DayHours = {
  preOpen: "080000",
  open: "090000",
  closing: "152000",
  close: "153000",
  closingPriceFrom: "154000",
  eveningFrom: "160000",
  eveningTo: "200000",
  eveningCode: "30",
  nxt: [
    ["080000", "085000", "1"],
    ["090030", "152000", "2"],
    ["154000", "200000", "3"]
  ]
}
const days: ReadonlyArray<readonly [name: string, date: string, hours: DayHours]> = [
  ["an ordinary day", "20261118", ordinary],
  [
    "the day of the college entrance exam",
    "20261119",
    {
      preOpen: "090000",
      open: "100000",
      closing: "162000",
      close: "163000",
      closingPriceFrom: "164000",
      eveningFrom: "170000",
      eveningTo: "200000",
      eveningCode: "30",
      nxt: [
        ["090000", "095000", "1"],
        ["100030", "162000", "2"],
        ["164000", "200000", "3"]
      ]
    }
  ],
  ["a day with the single-price evening", "20260911", { ...ordinary, eveningTo: "180000", eveningCode: "40" }]
]

const playDay = (seed: number, date: string, hours: DayHours) => {
  const auditor = makeAuditor(hours)
  const floor = openFloor({ seed, startMs: at(date, "075000"), tradesPerSecond: 4 }, auditor.listener)
  auditor.watch(floor.view)
  runTo(floor, at(date, hours.eveningFrom))
  const closed = floor.view.indices().map(({ code, level }) => `${code} ${level}`)
  runTo(floor, at(date, "203000"))
  return { ...auditor, closed, view: floor.view }
}

describe("a whole trading day", () => {
  for (const [name, date, hours] of days) {
    it.prop(
      `holds together on ${name}: figures and trades, limits, grid, books, indices, hours`,
      [Seed],
      ([seed]) => {
        const { closed, closings, heard, openings, view } = playDay(seed, date, hours)
        assert.strictEqual(view.date(), date)
        assert.isAbove(heard.trades, 60_000)
        for (const [what, count] of Object.entries(heard)) assert.isAbove(count, 0, what)
        assert.isTrue([...openings.values(), ...closings.values()].every((count) => count === 1))
        assert.deepStrictEqual(
          view.indices().map(({ code, level }) => `${code} ${level}`),
          closed
        )
        assert.isAbove(openings.size, 100)
        assert.isAbove(closings.size, 100)
        assert.isAbove(view.interruptions().length, 5)
        for (const issue of view.issues) {
          if (!issue.still) assert.isAbove(issue.close, 0, `${issue.entry.code} has a close`)
          assert.strictEqual(issue.standing.state, "closed")
        }
      },
      { arbitrary: { runs: 2 } }
    )
  }
})
