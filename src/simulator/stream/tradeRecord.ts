import type { Issue } from "../market/Issue.ts"
import type { Trade } from "../market/trading.ts"
import { changeSign, decimal, direction, percent } from "../quotation/numbers.ts"

/** KIS prints the buyers' share of the volume cut to two decimals, plus 0.01: so in every captured record. */
const buyShare = (issue: Issue): string => (Math.floor((issue.buyVolume / issue.volume) * 100) / 100 + 0.01).toFixed(2)

/** One `H0STCNT0` record, 47 columns, of the trade the issue was just left by. */
export const tradeRecord = (issue: Issue, trade: Trade, businessDate: string): string => {
  const { basePrice, high, low, open, price, volume } = issue
  return [
    issue.entry.code,
    trade.hour,
    price,
    changeSign(price, basePrice, issue.upper, issue.lower),
    price - basePrice,
    percent(price - basePrice, basePrice),
    decimal(issue.value / volume),
    open,
    high,
    low,
    issue.ask,
    issue.bid,
    trade.size,
    volume,
    issue.value,
    issue.sellCount,
    issue.buyCount,
    issue.buyCount - issue.sellCount,
    percent(issue.buyVolume, issue.sellVolume),
    issue.sellVolume,
    issue.buyVolume,
    trade.side === "buy" ? "1" : "5",
    buyShare(issue),
    percent(volume, issue.previousVolume),
    issue.openHour,
    direction(price - open),
    price - open,
    issue.highHour,
    direction(price - high),
    price - high,
    issue.lowHour,
    direction(price - low),
    price - low,
    businessDate,
    "20",
    "N",
    issue.askSize,
    issue.bidSize,
    issue.totalAskSize,
    issue.totalBidSize,
    percent(volume, issue.entry.listedShares),
    issue.sameTimeVolume,
    percent(volume, issue.sameTimeVolume),
    "0",
    "",
    open,
    "2"
  ].join("^")
}

/** The most records one frame was ever seen to hold; a longer burst goes on in the next. */
const recordsPerFrame = 20

/** The frames of several records of one symbol: `0|H0STCNT0|003|…^…`. */
export const tradeFrames = (trId: string, records: ReadonlyArray<string>): ReadonlyArray<string> => {
  const frames: Array<string> = []
  for (let from = 0; from < records.length; from += recordsPerFrame) {
    const part = records.slice(from, from + recordsPerFrame)
    frames.push(`0|${trId}|${String(part.length).padStart(3, "0")}|${part.join("^")}`)
  }
  return frames
}
