import { hashOf } from "./hash.ts"
import type { Issue, Quotes, Shown } from "./Issue.ts"
import type { Book, BookLevel } from "./MarketView.ts"

const levelsMax = 10

/** The prices of one side from the best on, inside the limits. */
const pricesFrom = (best: number, limit: number, beyond: (price: number) => number): ReadonlyArray<number> => {
  const prices: Array<number> = []
  for (let price = best; prices.length < levelsMax; price = beyond(price)) {
    prices.push(price)
    if (price === limit) break
  }
  return prices
}

/** Shares `total` out: `size` to the best level, one at least to every other, the rest as the character of the price has it. */
const side = (code: string, prices: ReadonlyArray<number>, size: number, total: number): ReadonlyArray<BookLevel> => {
  const [best, ...others] = prices
  if (best === undefined || total === 0) return []
  let left = total - size - others.length
  const weights = others.map((price) => 0.3 + hashOf(code, price, total))
  let weight = weights.reduce((sum, one) => sum + one, 0)
  return [
    { price: best, size },
    ...others.map((price, index) => {
      const own = weights[index] ?? 0
      const part = index === others.length - 1 ? left : Math.floor((left * own) / weight)
      left -= part
      weight -= own
      return { price, size: 1 + part }
    })
  ]
}

/** In about one state of eight somebody waits between the quotes. */
const midpointOf = (code: string, { ask, askSize, bid, bidSize }: Quotes): Book["midpoint"] => {
  const price = ask === 0 ? 0 : (bid + ask) / 2
  const draw = hashOf(code, bid, bidSize, askSize)
  if (price === 0 || !Number.isInteger(price) || draw >= 0.125) return { price: Math.floor(price), size: 0, side: "0" }
  const size = 1 + Math.floor((draw / 0.125) * Math.max(askSize, bidSize))
  return { price, size, side: bidSize % 2 === 0 ? "1" : "2" }
}

/** The ten levels that go with the quotes and totals of an issue: made up when asked for, and the same until those change. */
export const ladderOf = (issue: Issue, quotes: Quotes, shown: Shown): Book => {
  const { entry, grid, lower, upper } = issue
  const hasBook = quotes.totalBidSize + quotes.totalAskSize > 0
  const bids = hasBook ? pricesFrom(quotes.bid, lower, grid.down) : []
  const asks = hasBook && quotes.ask > 0 ? pricesFrom(quotes.ask, upper, grid.up) : []
  return {
    asks: side(entry.code, asks, quotes.askSize, quotes.totalAskSize),
    bids: side(entry.code, bids, quotes.bidSize, quotes.totalBidSize),
    totalAskSize: quotes.totalAskSize,
    totalBidSize: quotes.totalBidSize,
    totalAskChange: shown.askChange,
    totalBidChange: shown.bidChange,
    midpoint: midpointOf(entry.code, quotes)
  }
}
