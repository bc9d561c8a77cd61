import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Holes, type ToldHole } from "../../../src/feed/streamer/Holes.ts"

const registration = { trId: "H0STCNT0", trKey: "005930" }
const hole = (fromMs: number, toMs: number, isNew = false): ToldHole => ({
  symbol: "005930",
  fromMs,
  toMs,
  cause: "disconnect",
  isNew
})
const lost = (fromMs: number) => {
  const holes = new Holes()
  holes.accepted(registration, 0)
  holes.lost(fromMs, "disconnect")
  return holes
}
const expecting = (nowMs: number, more: { readonly isMarketOpen?: boolean; readonly isRefused?: boolean } = {}) => ({
  wanted: [registration],
  nowMs,
  sinceMs: 0,
  isMarketOpen: more.isMarketOpen ?? true,
  isRefused: () => more.isRefused ?? false
})

describe("an open hole", () => {
  it("is told at once, and once a minute while the market is open", () => {
    const holes = lost(1_000)
    assert.deepStrictEqual(holes.due(3_000, false), [hole(1_000, 3_000, true)])
    assert.deepStrictEqual(holes.due(62_999, true), [])
    assert.deepStrictEqual(holes.due(63_000, true), [hole(1_000, 63_000)])
    assert.deepStrictEqual(holes.due(500_000, false), [])
    assert.deepStrictEqual(holes.due(500_000, true), [hole(1_000, 500_000)])
    assert.deepStrictEqual(holes.accepted(registration, 510_000), hole(1_000, 510_000))
    assert.deepStrictEqual(holes.due(600_000, true), [])
  })

  it("is told no farther than to where it was registered once more, and never ends before what was told of it", () => {
    const holes = new Holes()
    holes.accepted(registration, 0)
    holes.begin(registration, 1_000, "disconnect")
    holes.due(5_000, true)
    holes.acceptedAgain(registration, 4_000)
    assert.deepStrictEqual(holes.due(90_000, true), [])
    assert.deepStrictEqual(holes.heard(registration, 95_000), hole(1_000, 5_000))
  })

  it("is one of what was never accepted for longer than is usual, since it was wanted or the market has opened", () => {
    const holes = new Holes()
    holes.expect(expecting(20_000))
    assert.strictEqual(holes.size, 0)
    holes.expect(expecting(30_000))
    assert.deepStrictEqual(holes.all, [{ symbol: "005930", fromMs: 0, cause: "disconnect" }])
    assert.deepStrictEqual(holes.accepted(registration, 40_000), hole(0, 40_000, true))

    const early = new Holes()
    early.expect(expecting(500_000, { isMarketOpen: false }))
    early.expect(expecting(529_999))
    assert.strictEqual(early.size, 0)
    early.expect(expecting(530_000))
    assert.strictEqual(early.all[0]?.fromMs, 500_000)
    assert.deepStrictEqual(
      early.leave(() => false, 540_000),
      [hole(500_000, 540_000, true)]
    )
  })

  it("is none, or ends, where the broker takes others and says no to this one", () => {
    const holes = new Holes()
    holes.expect(expecting(20_000, { isRefused: true }))
    assert.deepStrictEqual(holes.expect(expecting(90_000)), [])
    assert.strictEqual(holes.size, 0)

    const begun = new Holes()
    begun.expect(expecting(30_000))
    assert.deepStrictEqual(begun.expect(expecting(60_000, { isRefused: true })), [hole(0, 60_000, true)])
    begun.expect(expecting(120_000))
    assert.strictEqual(begun.size, 0)
  })

  it("of something that was streamed is not ended by a refusal", () => {
    const holes = lost(1_000)
    assert.deepStrictEqual(holes.expect(expecting(60_000, { isRefused: true })), [])
    assert.strictEqual(holes.size, 1)
  })

  it.prop(
    "is told by records that begin alike and only go on, whatever happens; a kill lacks no more than a minute of it",
    [Schema.Array(Schema.Literals(["cut", "accepted", "again", "heard", "look", "look", "released"]))],
    ([events]) => {
      const holes = new Holes()
      let nowMs = 0
      let told: ToldHole | undefined
      const tell = (record: ToldHole | undefined, isOver: boolean) => {
        if (record === undefined) return
        assert.strictEqual(record.isNew, told === undefined)
        assert.isAtMost(record.toMs, nowMs)
        if (told !== undefined) {
          assert.deepStrictEqual([record.fromMs, record.cause], [told.fromMs, told.cause])
          assert.isAtLeast(record.toMs, told.toMs)
        }
        told = isOver ? undefined : record
      }
      for (const event of events) {
        nowMs += 10_000
        if (event === "cut") holes.lost(nowMs - 5_000, "disconnect")
        else if (event === "accepted") tell(holes.accepted(registration, nowMs), true)
        else if (event === "again") holes.acceptedAgain(registration, nowMs)
        else if (event === "heard") tell(holes.heard(registration, nowMs), true)
        else if (event === "released") tell(holes.released(registration, nowMs), true)
        for (const record of holes.due(nowMs, true)) tell(record, false)
        // What is registered again may be heard: its hole goes no farther until data or a silence says more.
        if (holes.size === 1 && !events.includes("again")) assert.isAtLeast(told?.toMs ?? 0, nowMs - 60_000)
      }
    }
  )
})
