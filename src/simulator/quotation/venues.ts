import type { Issue } from "../market/Issue.ts"
import type { DayBar, MarketView, MinuteBar, PastTrade } from "../market/MarketView.ts"
import type { Division } from "./Figures.ts"

/** Today's trades of a division, newest first; UN counts both venues into one cumulative volume. */
export const tradesOf = (market: MarketView, issue: Issue, division: Division): ReadonlyArray<PastTrade> => {
  if (division === "J") return market.trades(issue, "KRX")
  if (issue.nxt === undefined) return division === "NX" ? [] : market.trades(issue, "KRX")
  const nxt = market.trades(issue, "NXT")
  if (division === "NX") return nxt
  const merged = [...market.trades(issue, "KRX"), ...nxt].sort((a, b) =>
    a.hour < b.hour ? 1 : a.hour > b.hour ? -1 : 0
  )
  let total = issue.volume + issue.nxt.volume
  return merged.map((trade) => {
    const cumVolume = total
    total -= trade.size
    return { ...trade, cumVolume }
  })
}

const joined = (krx: MinuteBar | undefined, nxt: MinuteBar | undefined): MinuteBar | undefined =>
  krx === undefined || nxt === undefined
    ? (krx ?? nxt)
    : {
        ...krx,
        high: Math.max(krx.high, nxt.high),
        low: Math.min(krx.low, nxt.low),
        volume: krx.volume + nxt.volume
      }

/** Today's minutes of a division that have traded, oldest first. */
export const minutesOf = (market: MarketView, issue: Issue, division: Division): ReadonlyArray<MinuteBar> => {
  if (division === "J" || issue.nxt === undefined) return market.minutes(issue, "KRX")
  const nxt = new Map(market.minutes(issue, "NXT").map((bar) => [bar.hour, bar]))
  if (division === "NX") return [...nxt.values()]
  const krx = new Map(market.minutes(issue, "KRX").map((bar) => [bar.hour, bar]))
  let krxValue = 0,
    nxtValue = 0
  return [...new Set([...krx.keys(), ...nxt.keys()])].sort().flatMap((hour) => {
    const bar = joined(krx.get(hour), nxt.get(hour))
    krxValue = krx.get(hour)?.cumValue ?? krxValue
    nxtValue = nxt.get(hour)?.cumValue ?? nxtValue
    return bar === undefined ? [] : [{ ...bar, cumValue: krxValue + nxtValue }]
  })
}

/** The days before today of a division, newest first. */
export const daysOf = (market: MarketView, issue: Issue, count: number, division: Division): ReadonlyArray<DayBar> => {
  const krx = market.days(issue, count, "KRX")
  if (division === "J" || issue.nxt === undefined) return krx
  const nxt = market.days(issue, count, "NXT")
  if (division === "NX") return nxt
  const byDate = new Map(nxt.map((bar) => [bar.date, bar]))
  return krx.map((bar) => {
    const other = byDate.get(bar.date)
    return other === undefined
      ? bar
      : {
          ...bar,
          high: Math.max(bar.high, other.high),
          low: Math.min(bar.low, other.low),
          volume: bar.volume + other.volume,
          value: bar.value + other.value
        }
  })
}
