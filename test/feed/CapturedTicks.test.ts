import { assert, describe, it } from "@effect/vitest"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { decodeFrame } from "../../src/kis/Frame.ts"
import { ShardState } from "../../src/shard/ShardState.ts"
import { capturedFrame, sampleText } from "../support/samples.ts"

/** The recording of which the ticks were taken: its first frame was captured whole. */
const whole = (capturedFrame("H0STCNT0-013").split("|")[3] ?? "").split("^").slice(0, 46)

interface Tick {
  readonly frame: string
  readonly count: number
  readonly time: string
  readonly price: string
  readonly volume: string
  readonly cumVolume: string
  readonly side: string
}

const ticks = sampleText("ws/ticks-005930-20260608.csv")
  .split("\n")
  .slice(1)
  .map((line): Tick => {
    const [block = "", frame = "", count = "", time = "", price = "", volume = "", cumVolume = "", side = ""] =
      line.split(",")
    return { frame: `${block}${frame}`, count: Number(count), time, price, volume, cumVolume, side }
  })

/** Of one block the author left the sides out. */
const frames = [...new Set(ticks.map(({ frame }) => frame))].map((name) => {
  const own = ticks.filter(({ frame }) => frame === name)
  const records = own.map(({ cumVolume, price, side, time, volume }) =>
    whole
      .with(1, time)
      .with(2, price)
      .with(12, volume)
      .with(13, cumVolume)
      .with(21, side || "1")
  )
  return { name, own, text: `0|H0STCNT0|${String(own.length).padStart(3, "0")}|${records.flat().join("^")}` }
})

const receivedAtMs = marketInstant("20260608", "115200") ?? Number.NaN

const sightingsOf = (text: string) => {
  const frame = decodeFrame(text)
  assert.strictEqual(frame._tag, "Records")
  return frame._tag === "Records" ? frame.records.map((values) => tradeSighting(values, receivedAtMs, 0)) : []
}

describe("the 316 captured ticks, in the 87 frames in which they came", () => {
  it("are 316 in 87, whole but for the two in which a block of the recording ends", () => {
    assert.deepStrictEqual([ticks.length, frames.length], [316, 87])
    assert.deepStrictEqual(
      frames.filter(({ own }) => own.some(({ count }) => count !== own.length)).map(({ name }) => name),
      ["A59", "M15"]
    )
  })

  for (const { name, own, text } of frames) {
    it(`frame ${name} decodes to its ${own.length} trades`, () =>
      assert.deepStrictEqual(
        sightingsOf(text).map(({ cumVolume, exchangeAtMs, price, volume }) => [exchangeAtMs, price, volume, cumVolume]),
        own.map((tick) => [
          marketInstant("20260608", tick.time),
          Number(tick.price),
          Number(tick.volume),
          Number(tick.cumVolume)
        ])
      ))
  }

  it("are stored, every one of them once and none of them late, however often they come", () => {
    const state = new ShardState({
      symbols: new Set(["005930"]),
      heartbeat_ms: 300_000,
      session: { phaseAt: () => "continuous" }
    })
    const stored: Array<number | undefined> = []
    let deduplicated = 0
    for (const { text } of frames) {
      // The broker repeats a frame now and then.
      for (let time = 0; time < 2; time++) {
        const judgement = state.judge([{ source: "kis-ws", account: "main", sightings: sightingsOf(text) }])
        state.remember(judgement)
        for (const { cumVolume, kind, quality } of judgement.drafts) {
          assert.deepStrictEqual([kind, quality?.flags], ["trade", []])
          stored.push(cumVolume)
        }
        for (const { counted } of judgement.outcomes) deduplicated += counted.deduplicated
      }
    }
    assert.deepStrictEqual(
      stored,
      ticks.map(({ cumVolume }) => Number(cumVolume))
    )
    assert.strictEqual(deduplicated, 316)
  })
})
