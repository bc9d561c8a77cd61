import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LostHoles } from "../../../src/feed/streamer/LostHoles.ts"
import type { VolumeSpan } from "../../../src/feed/streamer/VolumeSpan.ts"

const symbol = "005930"
const span = (cumVolumeBefore: number, cumVolumeAfter: number): VolumeSpan => ({ cumVolumeBefore, cumVolumeAfter })
const loss = (before: number, after: number) => ({
  account: "main",
  symbol,
  fromMs: before * 10,
  toMs: after * 10,
  ...span(before, after)
})
const late = (before: number, after: number) => ({ symbol, ...span(before, after) })
const none = () => []
const Volume = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))

describe("what a live stream has lost", () => {
  it("is asked for without the trades that came late, before or after the loss was told, and not at all without any left", () => {
    const holes = new LostHoles()
    holes.heard([late(12, 13)], 0)
    holes.add(loss(10, 20), 0)
    holes.add(loss(30, 31), 0)
    holes.heard([late(30, 31), late(17, 20)], 5_000)
    assert.deepStrictEqual(holes.due(9_999, none), [])
    assert.deepStrictEqual(holes.due(10_000, none), [
      {
        symbol,
        fromMs: 100,
        toMs: 200,
        cause: "continuity",
        cumVolumeBefore: 10,
        cumVolumeAfter: 17,
        parts: [span(10, 12), span(13, 17)]
      }
    ])
    holes.add(loss(40, 41), 11_000)
    holes.heard([late(40, 41)], 12_000)
    assert.deepStrictEqual(holes.due(30_000, none), [])
  })

  it.prop(
    "is never asked for where a hole of the connection is filled or trades came late, and all of it is where not",
    [Schema.Array(Volume), Schema.Array(Schema.Tuple([Volume, Volume])), Schema.Array(Volume)],
    ([edges, covered, heard]) => {
      const sorted = [...new Set(edges)].sort((a, b) => a - b)
      const holes = new LostHoles()
      const losses = sorted.flatMap((before, at) => {
        const after = sorted[at + 1]
        return at % 2 === 0 && after !== undefined ? [span(before, after)] : []
      })
      for (const { cumVolumeAfter, cumVolumeBefore } of losses) holes.add(loss(cumVolumeBefore, cumVolumeAfter), 0)
      const others = covered.map(([a, b]) => span(Math.min(a, b), Math.max(a, b)))
      holes.heard(
        heard.map((at) => late(at, at + 1)),
        0
      )
      const [found] = holes.rest(() => others)
      // Share by share: the nth lies above n and up to n + 1.
      const isIn = (spans: ReadonlyArray<VolumeSpan>, n: number) =>
        spans.some(({ cumVolumeAfter, cumVolumeBefore }) => cumVolumeBefore <= n && n < cumVolumeAfter)
      for (let n = 0; n < 62; n++) {
        const isWanted = isIn(losses, n) && !isIn(others, n) && !heard.includes(n)
        assert.strictEqual(isIn(found?.parts ?? [], n), isWanted, `share ${n}`)
      }
    }
  )
})
