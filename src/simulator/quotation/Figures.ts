import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"

/** J is the exchange, NX is Nextrade, UN is both. */
export const divisions = ["J", "NX", "UN"] as const
export type Division = (typeof divisions)[number]

/** A day's figures of an issue on one venue or on both; prices KRW, volumes shares. */
export type Figures = Readonly<
  Pick<
    Issue,
    | "price"
    | "open"
    | "high"
    | "low"
    | "volume"
    | "value"
    | "bid"
    | "ask"
    | "bidSize"
    | "askSize"
    | "totalBidSize"
    | "totalAskSize"
    | "buyVolume"
    | "sellVolume"
    | "previousVolume"
  >
>

const best = (a: number, b: number, choose: (a: number, b: number) => number) =>
  a === 0 || b === 0 ? a + b : choose(a, b)

const bothVenues = (market: MarketView, issue: Issue, nxt: NonNullable<Issue["nxt"]>): Figures => {
  const bid = Math.max(issue.bid, nxt.bid)
  const ask = best(issue.ask, nxt.ask, Math.min)
  const lastHour = (venue: "KRX" | "NXT") => market.trades(issue, venue)[0]?.hour ?? ""
  const isNxtFirst = nxt.open > 0 && (issue.open === 0 || nxt.openHour < issue.openHour)
  return {
    price: lastHour("NXT") > lastHour("KRX") ? nxt.price : issue.price,
    open: isNxtFirst ? nxt.open : issue.open,
    high: Math.max(issue.high, nxt.high),
    low: best(issue.low, nxt.low, Math.min),
    volume: issue.volume + nxt.volume,
    value: issue.value + nxt.value,
    bid,
    ask,
    bidSize: (issue.bid === bid ? issue.bidSize : 0) + (nxt.bid === bid ? nxt.bidSize : 0),
    askSize: (issue.ask === ask ? issue.askSize : 0) + (nxt.ask === ask ? nxt.askSize : 0),
    totalBidSize: issue.totalBidSize + nxt.totalBidSize,
    totalAskSize: issue.totalAskSize + nxt.totalAskSize,
    buyVolume: issue.buyVolume + nxt.buyVolume,
    sellVolume: issue.sellVolume + nxt.sellVolume,
    previousVolume: issue.previousVolume + nxt.previousVolume
  }
}

/** What a division shows of an issue; `undefined` when Nextrade is asked for what it does not list. */
export const figuresOf = (market: MarketView, issue: Issue, division: Division): Figures | undefined => {
  const { nxt } = issue
  if (division === "NX") return nxt
  return division === "J" || nxt === undefined ? issue : bothVenues(market, issue, nxt)
}
