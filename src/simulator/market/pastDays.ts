import { tradingDayBefore } from "../../calendar/TradingDays.ts"
import { hashOf } from "./hash.ts"
import type { Issue } from "./Issue.ts"
import type { DayBar } from "./MarketView.ts"

/**
 * The trading days before a market date (`YYYYMMDD`), the newest first, made up backwards from the last close and
 * volume: so yesterday fits today whenever it is asked for.
 */
export const pastDays = (
  issue: Issue,
  date: string,
  last: { readonly close: number; readonly volume: number },
  count: number
): ReadonlyArray<DayBar> => {
  const { entry, grid } = issue
  const bars: Array<DayBar> = []
  const floored = (price: number) => Math.max(1, grid.floor(price))
  let day = date
  let { close } = last
  if (close === 0) return bars
  for (let ago = 1; ago <= count; ago++) {
    day = tradingDayBefore(day)
    const number = Number(day)
    const draw = (lane: number) => hashOf(entry.code, number, lane)
    const previousClose = floored(close / (1 + 0.05 * (draw(1) + draw(2) - 1)))
    const quiet = last.volume === 0 ? 0 : 1
    const volume = ago === 1 ? last.volume : Math.round(last.volume * (0.4 + 1.2 * draw(3)))
    const open = floored(previousClose + (close - previousClose) * draw(4))
    const high = Math.max(open, close, floored(Math.max(open, close) * (1 + 0.02 * draw(5) * quiet)))
    const low = Math.min(open, close, floored(Math.min(open, close) * (1 - 0.02 * draw(6) * quiet)))
    const value = Math.round(((open + high + low + close) / 4) * volume)
    bars.push({ date: day, open, high, low, close, volume, value, previousClose })
    close = previousClose
  }
  return bars
}
