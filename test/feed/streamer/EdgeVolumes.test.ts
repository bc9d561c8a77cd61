import { assert, describe, it } from "@effect/vitest"
import type { Sighting } from "../../../src/domain/Sighting.ts"
import { EdgeVolumes } from "../../../src/feed/streamer/EdgeVolumes.ts"
import { tradeSighting } from "../../../src/feed/KisTrade.ts"
import type { Hole } from "../../../src/feed/streamer/Holes.ts"
import { trade } from "../frames.ts"

const sighting = (symbol: string, cumVolume: number, volume = 1, receivedAtMs = 0): Sighting =>
  tradeSighting(trade(symbol, cumVolume, { 12: String(volume) }), receivedAtMs, 0)
const heard = (edges: EdgeVolumes, ...sightings: ReadonlyArray<Sighting>) => edges.heard(sightings).ended
const hole = (symbol: string) => ({ symbol, fromMs: 1_000, toMs: 2_000, cause: "disconnect" as const })
const ended = (edges: EdgeVolumes, over: Hole, nowMs: number) => edges.ended([edges.edged(over)], nowMs)

describe("the volumes at the edges of a hole", () => {
  it("are that of the last trade before it, and what the first one after it came on top of", () => {
    const edges = new EdgeVolumes()
    heard(edges, sighting("005930", 10), sighting("005930", 15))
    ended(edges, hole("005930"), 0)
    assert.deepStrictEqual(heard(edges, sighting("000660", 7)), [])
    assert.deepStrictEqual(heard(edges, sighting("005930", 30, 4), sighting("005930", 31)), [
      { ...hole("005930"), cumVolumeBefore: 15, cumVolumeAfter: 26 }
    ])
    assert.deepStrictEqual(heard(edges, sighting("005930", 32)), [])
  })

  it("are left out where they are not known: before the first trade, and where none that is later comes", () => {
    const edges = new EdgeVolumes()
    ended(edges, hole("005930"), 0)
    assert.deepStrictEqual(heard(edges, sighting("005930", 9, 2)), [{ ...hole("005930"), cumVolumeAfter: 7 }])
    ended(edges, hole("005930"), 0)
    assert.deepStrictEqual(heard(edges, sighting("005930", 5, 2)), [])
    assert.deepStrictEqual(edges.due(5_000), [{ ...hole("005930"), cumVolumeBefore: 9 }])
  })

  it("are of the day's highest volume, whatever came out of order at the edge, and late trades are told", () => {
    const edges = new EdgeVolumes()
    heard(edges, sighting("005930", 11), sighting("005930", 15), sighting("005930", 14))
    heard(edges, sighting("005930", 13))
    ended(edges, hole("005930"), 0)
    const { ended: found, late } = edges.heard([
      sighting("005930", 12),
      sighting("005930", 30, 4),
      sighting("005930", 20, 2)
    ])
    assert.deepStrictEqual(found, [{ ...hole("005930"), cumVolumeBefore: 15, cumVolumeAfter: 26 }])
    assert.deepStrictEqual(late, [
      { symbol: "005930", cumVolumeBefore: 11, cumVolumeAfter: 12 },
      { symbol: "005930", cumVolumeBefore: 18, cumVolumeAfter: 20 }
    ])
  })

  it("say which volumes are the holes' to fill: up to the first trade after each, of an open one all that comes", () => {
    const edges = new EdgeVolumes()
    const after = Number.POSITIVE_INFINITY
    heard(edges, sighting("005930", 10))
    assert.deepStrictEqual(edges.covered("005930", true), [{ cumVolumeBefore: 10, cumVolumeAfter: after }])
    edges.edged(hole("005930"))
    assert.deepStrictEqual(edges.covered("005930", false), [{ cumVolumeBefore: 10, cumVolumeAfter: after }])
    heard(edges, sighting("005930", 9))
    heard(edges, sighting("005930", 30, 4), sighting("005930", 31))
    const first = { cumVolumeBefore: 10, cumVolumeAfter: 26 }
    assert.deepStrictEqual(edges.covered("005930", false), [first])
    edges.edged(hole("005930"))
    heard(edges, sighting("005930", 40))
    assert.deepStrictEqual(edges.covered("005930", false), [first, { cumVolumeBefore: 31, cumVolumeAfter: 39 }])
    heard(edges, sighting("005930", 5, 1, 15 * 3_600_000))
    assert.deepStrictEqual(edges.covered("005930", false), [])
  })

  it("are those of the hole's own day, by the market's clock, and of a symbol that was streamed until it", () => {
    const edges = new EdgeVolumes()
    heard(edges, sighting("005930", 1_000_000), sighting("000660", 50))
    // 15:00 UTC is midnight in Seoul.
    const next = { ...hole("005930"), fromMs: 15 * 3_600_000, toMs: 15 * 3_600_000 }
    assert.strictEqual(edges.edged({ ...next, toMs: next.toMs - 1 }).cumVolumeBefore, 1_000_000)
    assert.deepStrictEqual(edges.edged(next), next)
    heard(edges, sighting("005930", 20, 1, next.toMs))
    assert.strictEqual(edges.edged(next).cumVolumeBefore, 20)
    edges.forget("000660")
    assert.deepStrictEqual(edges.edged(hole("000660")), hole("000660"))
  })

  it("are waited for no longer than five seconds, each hole for itself", () => {
    const edges = new EdgeVolumes()
    ended(edges, hole("005930"), 0)
    ended(edges, hole("000660"), 1_000)
    assert.deepStrictEqual(edges.due(4_999), [])
    assert.deepStrictEqual(edges.due(5_000), [hole("005930")])
    assert.deepStrictEqual(edges.due(6_000), [hole("000660")])
    assert.deepStrictEqual(edges.due(9_000), [])
  })
})
