import { assert, describe, it } from "@effect/vitest"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { byTime, isInside } from "../../../src/feed/backfill/cut.ts"
import { type Hole, spanOf, whyHopeless } from "../../../src/feed/backfill/Hole.ts"
import type { Reading } from "../../../src/feed/backfill/readBack.ts"
import { repairOf } from "../../../src/feed/backfill/repairOf.ts"
import { listedTrade } from "../../../src/feed/backfill/tradeRow.ts"
import { dayOf, rowOf } from "./listedDay.ts"

const date = "20261124"
const at = (hour: string) => marketInstant(date, hour) ?? Number.NaN
const hole: Hole = { symbol: "005930", fromMs: at("100010"), toMs: at("100020"), cause: "disconnect" }

const tradesOf = (...steps: ReadonlyArray<readonly [seconds: number, cumVolume: number]>) => {
  let reached = 0
  return steps.map(([seconds, cumVolume]) => {
    const row = rowOf({ atMs: at("100000") + seconds * 1_000, volume: cumVolume - reached, cumVolume, isListed: true })
    reached = cumVolume
    const trade = listedTrade(row, date, 0)
    return trade === undefined || trade === "unreadable" ? assert.fail("it is a trade") : trade
  })
}

/** Fills the hole from a list; each step is a second after ten o'clock and what the volume had come to. */
const repaired = (given: Partial<Reading>, changes: Partial<Hole> = {}) => {
  const changed = { ...hole, ...changes }
  const span = spanOf(changed)
  const reading: Reading = {
    call: "inquire-time-itemconclusion",
    trades: [],
    cumVolumeToday: undefined,
    isWhole: true,
    ...given
  }
  return repairOf(
    changed,
    span,
    reading,
    reading.trades.filter((trade) => isInside(changed, span, trade))
  )
}

describe("what a list did for a hole", () => {
  it("is complete when the volumes of the trades around it leave nothing out", () => {
    const trades = tradesOf([5, 100], [12, 110], [15, 130], [25, 135])
    assert.deepStrictEqual(repaired({ trades }), {
      source: "backfill",
      call: "inquire-time-itemconclusion",
      trades: 2,
      volume: 30,
      complete: true,
      missingVolume: 0
    })
  })

  it("of which only parts were lost counts those alone, and not what was heard in between", () => {
    const trades = tradesOf([9, 100], [12, 110], [13, 120], [15, 130], [21, 135], [25, 150])
    const lost: Partial<Hole> = {
      cause: "continuity",
      cumVolumeBefore: 100,
      cumVolumeAfter: 135,
      parts: [
        { cumVolumeBefore: 100, cumVolumeAfter: 110 },
        { cumVolumeBefore: 120, cumVolumeAfter: 135 }
      ]
    }
    assert.deepInclude(repaired({ trades }, lost), { trades: 3, volume: 25, complete: true, missingVolume: 0 })
    const without = trades.filter(({ cumVolume }) => cumVolume !== 130)
    assert.deepInclude(repaired({ trades: without }, lost), { trades: 2, volume: 15, missingVolume: 10 })
  })

  it("is complete when nothing has been traded since, by the volume of today", () => {
    const trades = tradesOf([5, 100], [12, 110])
    assert.deepInclude(repaired({ trades, cumVolumeToday: 110 }), { trades: 1, complete: true })
    assert.deepInclude(repaired({ trades, cumVolumeToday: 115 }), { trades: 1, complete: false })
    assert.notProperty(repaired({ trades, cumVolumeToday: 115 }), "missingVolume")
  })

  it("tells the volume that no trade was found for", () => {
    const trades = tradesOf([5, 100], [12, 110]).concat(
      tradesOf([0, 140], [25, 150]).filter(({ cumVolume }) => cumVolume === 150)
    )
    assert.deepInclude(repaired({ trades }), { volume: 10, complete: false, missingVolume: 30 })
  })

  it("is nothing known when more was found than was traded", () => {
    const trades = tradesOf([5, 100], [12, 110], [25, 115])
    const repair = repaired({ trades }, { cumVolumeBefore: 105, cumVolumeAfter: 112 })
    assert.deepInclude(repair, { trades: 1, complete: false })
    assert.notProperty(repair, "missingVolume")
  })

  it("says where the list ended, and that it never came to the hole", () => {
    const trades = tradesOf([14, 110], [25, 115])
    const repair = repaired({ trades, isWhole: false })
    assert.deepInclude(repair, { trades: 1, complete: false, backTo: new Date(at("100014")).toISOString() })
    assert.isUndefined(repaired({ trades: tradesOf([22, 110]), isWhole: false }))
    assert.isUndefined(repaired({ isWhole: false, cumVolumeToday: 110 }))
  })

  it("is complete without any list when the volume has not moved", () => {
    assert.deepInclude(repaired({ isWhole: false, cumVolumeToday: 0 }), { trades: 0, complete: true })
    const still = { isWhole: false, cumVolumeToday: 110 }
    assert.deepInclude(repaired(still, { cumVolumeBefore: 110 }), { trades: 0, complete: true })
    assert.isUndefined(repaired(still, { cumVolumeBefore: 100 }))
  })

  it("is never complete by a list without cumulative volumes", () => {
    const trades = tradesOf([5, 100], [10, 105], [12, 110], [20, 120], [25, 130]).map((trade) => ({
      ...trade,
      cumVolume: undefined
    }))
    const repair = repaired({ call: "inquire-ccnl", trades })
    // Those of the seconds in which the stream was still or again heard cannot be told from heard ones.
    assert.deepInclude(repair, { call: "inquire-ccnl", trades: 1, volume: 5, complete: false })
    assert.notProperty(repair, "missingVolume")
  })
})

describe("trades of one second", () => {
  it("are put in the order of their volumes, however the broker lists them", () => {
    const trades = tradesOf([1, 10], [1, 20], [1, 30])
    assert.deepStrictEqual(trades.toReversed().sort(byTime), trades)
  })
})

describe("a hole", () => {
  const calendar = { phaseAt: (atMs: number) => (atMs < at("090000") ? ("openingAuction" as const) : "continuous") }

  it("is hopeless when it is not of today, has no length, or nothing had been traded", () => {
    assert.isUndefined(whyHopeless(hole, at("100030"), calendar))
    const tomorrow = at("100030") + 86_400_000
    assert.strictEqual(whyHopeless(hole, tomorrow, calendar), "the broker lists trades of today only")
    const early = { ...hole, fromMs: at("084000"), toMs: at("085000") }
    assert.strictEqual(whyHopeless(early, at("100030"), calendar), "nothing had been traded that day")
    assert.isDefined(whyHopeless({ ...hole, fromMs: Number.NaN }, at("100030"), calendar))
    assert.isDefined(whyHopeless({ ...hole, fromMs: hole.toMs + 1 }, at("100030"), calendar))
  })

  it("that began yesterday is looked at from midnight on", () => {
    const span = spanOf({ ...hole, fromMs: at("000000") - 5_000 })
    assert.deepStrictEqual(span, { date, fromMs: at("000000"), toMs: at("100020") })
    assert.strictEqual(dayOf(span.fromMs, [{ after_seconds: 1, volume: 1 }])[0]?.cumVolume, 1)
  })
})
