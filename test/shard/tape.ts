import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Sighting } from "../../src/domain/Sighting.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { capturedFrame, sampleText } from "../support/samples.ts"

const date = "20260608"
/** The recording of which the ticks were taken: its first frame was captured whole. */
const whole = (capturedFrame("H0STCNT0-013").split("|")[3] ?? "").split("^").slice(0, 46)
/** What the day's volume was ahead of buys and sells, at both ends of the recording (captured/README.md §5). */
const unsided = 1_990_590

/** A trade of the captured ticks, as its frame brought it: with the counters and sums that the recording had, where they were copied. */
export const captured = (block: "A" | "M" | "Z"): ReadonlyArray<Sighting> =>
  sampleText("ws/ticks-005930-20260608.csv")
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .filter(([of]) => of === block)
    .map(([, , , time = "", price = "", volume = "", cumVolume = "", side = "", sells = "", buys = ""]) => {
      const sided = Number(cumVolume) - unsided
      const values = whole
        .with(1, time)
        .with(2, price)
        .with(12, volume)
        .with(13, cumVolume)
        .with(15, sells)
        .with(16, buys)
        // Which side the sum belongs to is not in the sample; only both together matter.
        .with(19, "0")
        .with(20, String(sided))
        .with(21, side)
      return tradeSighting(values, marketInstant(date, time) ?? Number.NaN, 0)
    })
