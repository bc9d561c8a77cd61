import { assert, describe, it } from "@effect/vitest"
import { readFrames } from "../../../src/feed/streamer/readFrames.ts"
import { frameOf, trade } from "../frames.ts"

describe("reading frames", () => {
  it("hears each symbol of a frame, by the newest of its records", () => {
    const text = frameOf(trade("005930", 1), trade("005930", 2), trade("000660", 7), trade("0000Y0", 4))
    const { heard, sightings } = readFrames([{ text, receivedAtMs: 5 }], "main", (wallMs) => wallMs)
    assert.strictEqual(sightings.length, 4)
    assert.deepStrictEqual(
      heard.map(({ last, receivedAtMs }) => [last.symbol, last.cumVolume, receivedAtMs]),
      [
        ["005930", 2, 5],
        ["000660", 7, 5],
        ["0000Y0", 4, 5]
      ]
    )
  })
})
