import { hashOf } from "./hash.ts"
import type { Issue, Tally } from "./Issue.ts"
import type { MinuteBar } from "./MarketView.ts"

/** A part of the day that had passed when the simulator was started. */
export interface LivedPart {
  /** What it had come to. */
  readonly tally: Tally
  /** Minutes since midnight. */
  readonly fromMinute: number
  readonly toMinute: number
}

const hourText = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}${String(minute % 60).padStart(2, "0")}00`

const minuteOf = (hour: string) => Number(hour.slice(0, 2)) * 60 + Number(hour.slice(2, 4))

/**
 * The minutes of a day's part that nobody saw, made up so that they add up to what the issue shows for it: they begin
 * at the open, touch high and low, end at the price, and their volume and value are the part's.
 */
export const livedMinutes = (issue: Issue, { fromMinute, tally, toMinute }: LivedPart): ReadonlyArray<MinuteBar> => {
  const count = Math.min(720, toMinute - fromMinute, tally.volume)
  if (count < 1) return []
  const first = toMinute - count
  const draw = (minute: number, lane: number) => hashOf(issue.entry.code, minute, lane)
  const within = (price: number) => Math.min(tally.high, Math.max(tally.low, issue.grid.floor(price)))
  const nearest = (hour: string) => Math.min(toMinute - 1, Math.max(first, minuteOf(hour)))
  const highAt = nearest(tally.highHour)
  const lowAt = nearest(tally.lowHour)
  const bars: Array<MinuteBar> = []
  let close = tally.open
  let volumeLeft = tally.volume
  let cumVolume = 0
  for (let minute = first; minute < toMinute; minute++) {
    const left = toMinute - minute
    const open = close
    const aim = open + (tally.price - open) / left
    close = left === 1 ? tally.price : within(aim + (tally.high - tally.low) * 0.2 * (draw(minute, 1) - 0.5))
    const volume = left === 1 ? volumeLeft : 1 + Math.floor(((volumeLeft - left) / left) * 2 * draw(minute, 2))
    volumeLeft -= volume
    cumVolume += volume
    const high = minute === highAt ? tally.high : Math.max(open, close)
    const low = minute === lowAt ? tally.low : Math.min(open, close)
    const cumValue = Math.round((tally.value * cumVolume) / tally.volume)
    bars.push({ hour: hourText(minute), open, high, low, close, volume, cumValue })
  }
  return bars
}
