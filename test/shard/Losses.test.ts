import { assert, describe, it } from "@effect/vitest"
import type { Delivery, Sighting } from "../../src/domain/Sighting.ts"
import { GapBook } from "../../src/journal/GapBook.ts"
import { ShardState } from "../../src/shard/ShardState.ts"
import { heartbeat_ms } from "./fixtures.ts"
import { captured } from "./tape.ts"

const ticks = captured("A").slice(0, 40)
const at = (...indexes: ReadonlyArray<number>) => indexes.flatMap((index) => ticks[index] ?? [])
const all = ticks.map((_, index) => index)

const stateOf = () =>
  new ShardState({ symbols: new Set(["005930"]), heartbeat_ms, session: { phaseAt: () => "continuous" } })

const delivery = (sightings: ReadonlyArray<Sighting>, changes: Partial<Delivery> = {}): Delivery => ({
  source: "kis-ws",
  account: "main",
  sightings,
  ...changes
})

/** Judges each in an append of its own. */
const judged = (...deliveries: ReadonlyArray<Delivery>) => {
  const state = stateOf()
  return deliveries.map((each) => {
    const judgement = state.judge([each])
    state.remember(judgement)
    return judgement
  })
}

const gapsOf = (judgements: ReturnType<typeof judged>) =>
  judgements.flatMap(({ drafts }) => drafts.flatMap(({ kind, payload }) => (kind === "gap" ? [payload] : [])))
const flagsOf = (judgements: ReturnType<typeof judged>) =>
  judgements.flatMap(({ drafts }) => drafts.flatMap(({ quality }) => quality?.flags ?? []))

const sum = (indexes: ReadonlyArray<number>) => at(...indexes).reduce((total, { volume = 0 }) => total + volume, 0)
const utc = (index: number) => new Date(ticks[index]?.exchangeAtMs ?? Number.NaN).toISOString()

describe("the record of what a stream did not bring", () => {
  it("is a gap in the same append, from the trade before to the one after, which is flagged", () => {
    const [judgement] = judged(delivery(at(0, 1, 5, 6)))
    const gone = [2, 3, 4]
    assert.deepStrictEqual(gapsOf(judgement === undefined ? [] : [judgement]), [
      { from: utc(1), to: utc(5), cause: "continuity", symbol: "005930", lostVolume: sum(gone), lostTrades: 3 }
    ])
    const drafts = judgement?.drafts ?? []
    assert.deepStrictEqual(
      drafts.map(({ kind, quality }) => `${kind} ${quality?.flags.join() ?? ""}`.trim()),
      ["trade", "trade", "trade lostBefore:3", "trade", "gap"]
    )
    assert.deepInclude(drafts.at(-1), { symbol: "005930", venue: "KRX", source: "observer", account: "main" })
    assert.deepStrictEqual(judgement?.report, {
      losses: [
        {
          account: "main",
          symbol: "005930",
          fromMs: Date.parse(utc(1)),
          toMs: Date.parse(utc(5)),
          cumVolumeBefore: ticks[1]?.cumVolume ?? 0,
          cumVolumeAfter: ticks[4]?.cumVolume ?? 0
        }
      ],
      lost: { trades: 3, volume: sum(gone) },
      found: { trades: 0, volume: 0 }
    })
    // A gap is no record of the source.
    assert.deepStrictEqual(judgement?.outcomes[0]?.counted, { stored: 4, rejected: 0, deduplicated: 0 })
  })

  it("is not made of what comes out of order in the same append", () => {
    const swapped = judged(delivery(at(0, 2, 1, 3)))
    assert.deepStrictEqual(gapsOf(swapped), [])
    assert.deepStrictEqual(flagsOf(swapped), ["late"])
  })

  it("names what is still missing when the append is complete", () => {
    const some = judged(delivery(at(0, 4, 2, 5)))
    const [gap] = gapsOf(some)
    assert.deepInclude(gap, { lostTrades: 2, lostVolume: sum([1, 3]) })
    assert.deepStrictEqual(flagsOf(some), ["lostBefore:2", "late"])
  })

  it("has a second one for what comes in a later append, which says whether that was all", () => {
    const gaps = gapsOf(judged(delivery(at(0, 4)), delivery(at(2)), delivery(at(5, 1, 3)), delivery(at(3))))
    const of = { from: utc(0), to: utc(4), cause: "continuity", symbol: "005930" }
    assert.deepStrictEqual(gaps, [
      { ...of, lostVolume: sum([1, 2, 3]), lostTrades: 3 },
      { ...of, repairedBy: { source: "late", trades: 1, volume: sum([2]), complete: false } },
      { ...of, repairedBy: { source: "late", trades: 2, volume: sum([1, 3]), complete: true } }
    ])
  })

  it("is settled by what a list still had, and counts no trade that was heard", () => {
    const listed = at(0, 1, 2, 3, 4).map((tick) => ({ ...tick, tally: undefined, flags: ["backfill"] }))
    const [first, second] = judged(delivery(at(0, 4)), delivery(listed, { source: "backfill" }))
    assert.deepStrictEqual(gapsOf(second === undefined ? [] : [second]), [
      {
        from: utc(0),
        to: utc(4),
        cause: "continuity",
        symbol: "005930",
        repairedBy: { source: "backfill", trades: 3, volume: sum([1, 2, 3]), complete: true }
      }
    ])
    assert.deepStrictEqual(first?.report.lost, second?.report.found)
  })

  it("adds up for each loss when more were found than are known one by one, in one append or afterwards", () => {
    const base = ticks[0]
    if (base === undefined) return assert.fail("no ticks")
    const stream = Array.from({ length: 801 }, (_, index): Sighting => ({
      ...base,
      exchangeAtMs: (base.exchangeAtMs ?? 0) + index * 1_000,
      volume: 1,
      cumVolume: index + 1,
      tally: { trades: index + 1, sidedVolume: index + 1, isSided: true, reference: 1 }
    }))
    const came = stream.filter((_, index) => index % 2 === 0)
    const gone = stream.filter((_, index) => index % 2 === 1)
    const list = gone.map((each) => ({ ...each, tally: undefined, flags: ["backfill"] }))
    const holesOf = (judgements: ReturnType<typeof judged>) => {
      const book = new GapBook("20260608")
      for (const { drafts } of judgements)
        for (const { kind, payload } of drafts) book.add({ kind, symbol: "005930", payload: { ...payload } })
      return book.holes()
    }
    const afterwards = holesOf(judged(delivery(came), delivery(list, { source: "backfill" })))
    assert.strictEqual(afterwards.length, 400)
    assert.isTrue(
      afterwards.every(({ foundTrades, lostTrades, repair }) => foundTrades === lostTrades && repair === "whole")
    )
    const some = holesOf(judged(delivery(came), delivery(list.slice(0, 100), { source: "backfill" })))
    assert.strictEqual(some.filter(({ repair }) => repair === "whole").length, 100)
    // What comes in the same append was out of order; of losses that were taken together by then it is found.
    const state = stateOf()
    const together = holesOf([state.judge([delivery(came), delivery(list, { source: "backfill" })])])
    assert.isTrue(
      together.every(({ repair }) => repair === "whole"),
      JSON.stringify(together)
    )
  })

  it("is the same when the judgement is made again", () => {
    const state = stateOf()
    const chunk = [delivery(at(0, 1, 5, 6))]
    assert.deepStrictEqual(state.judge(chunk), state.judge(chunk))
  })

  it("is none of the time in which nobody listened on purpose, though the book goes on", () => {
    const begins = new Set(["005930"])
    const again = judged(delivery(at(0, 1)), delivery(at(20, 21), { begins }), delivery(at(23)))
    assert.deepStrictEqual(gapsOf(again).length, 1)
    assert.deepInclude(gapsOf(again)[0], { lostTrades: 1, lostVolume: sum([22]) })
  })

  it("is none when a frame comes twice or the trades come one by one", () => {
    assert.deepStrictEqual(gapsOf(judged(...all.map((index) => delivery(at(index))))), [])
    assert.deepStrictEqual(gapsOf(judged(delivery(at(0, 1, 2)), delivery(at(0, 1, 2)), delivery(at(2, 3)))), [])
  })
})
