import type { Issue, Quotes, Tally } from "../../market/Issue.ts"
import type { Sheet } from "./tradeRecord.ts"

/** Of two, the one that has traded; of two that have, the one that `isFirst` prefers. */
const either = (a: Tally, b: Tally, isFirst: boolean): Tally => (a.open === 0 ? b : b.open === 0 ? a : isFirst ? a : b)

const bestAsk = (a: Quotes, b: Quotes): Quotes => (a.ask === 0 || (b.ask !== 0 && b.ask < a.ask) ? b : a)

/** KRX and Nextrade as one market: sums, and the better of each quote. */
export const bothVenues = (issue: Issue): Sheet => {
  const { nxt } = issue
  if (nxt === undefined) return issue
  const opened = either(issue, nxt, issue.openHour <= nxt.openHour)
  const highest = either(issue, nxt, issue.high >= nxt.high)
  const lowest = either(issue, nxt, issue.low <= nxt.low)
  const asking = bestAsk(issue, nxt)
  const bidding = nxt.bid > issue.bid ? nxt : issue
  return {
    price: issue.price,
    anchor: issue.anchor,
    ask: asking.ask,
    askSize: asking.askSize,
    bid: bidding.bid,
    bidSize: bidding.bidSize,
    totalAskSize: issue.totalAskSize + nxt.totalAskSize,
    totalBidSize: issue.totalBidSize + nxt.totalBidSize,
    open: opened.open,
    openHour: opened.openHour,
    high: highest.high,
    highHour: highest.highHour,
    low: lowest.low,
    lowHour: lowest.lowHour,
    volume: issue.volume + nxt.volume,
    value: issue.value + nxt.value,
    sellCount: issue.sellCount + nxt.sellCount,
    buyCount: issue.buyCount + nxt.buyCount,
    sellVolume: issue.sellVolume + nxt.sellVolume,
    buyVolume: issue.buyVolume + nxt.buyVolume,
    previousVolume: issue.previousVolume + nxt.previousVolume
  }
}
