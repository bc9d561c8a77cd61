import { type Issue, refreshBook } from "./Issue.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** What one trade was; what it left behind is read from the issue. */
export interface Trade {
  /** `HHMMSS` of market time. */
  readonly hour: string
  /** KRW. */
  readonly price: number
  /** Shares. */
  readonly size: number
  readonly side: "buy" | "sell"
  /** Filled between the ticks, half-way between bid and ask. */
  readonly midpoint: boolean
}

/** One order that sweeps through: its trades share price, side and quotes. */
export interface Sweep {
  readonly price: number
  readonly side: "buy" | "sell"
  readonly midpoint: boolean
}

const drift = (issue: Issue, random: SeededRandom) => {
  const walked = issue.anchor * (1 + 0.0004 * (random.next() - 0.5))
  issue.anchor = Math.min(issue.basePrice * 1.2, Math.max(issue.basePrice * 0.8, walked))
  if (random.next() > 0.35) return
  const pull = Math.tanh((issue.bid / issue.anchor - 1) / 0.02)
  if (random.next() < 0.5 - 0.45 * pull) {
    if (issue.bid < issue.upper) issue.bid = issue.grid.up(issue.bid)
  } else if (issue.bid > issue.lower) {
    issue.bid = issue.grid.down(issue.bid)
  }
  issue.ask = issue.bid >= issue.upper ? 0 : issue.grid.up(issue.bid)
}

/** Moves the quotes of an issue by at most a tick and says how the next order meets them. */
export const nextSweep = (issue: Issue, random: SeededRandom): Sweep => {
  drift(issue, random)
  refreshBook(issue, random)
  const side = issue.ask > 0 && random.next() < 0.5 ? "buy" : "sell"
  const middle = (issue.bid + issue.ask) / 2
  const midpoint = random.next() < 0.01 && issue.ask > 0 && Number.isInteger(middle)
  return { price: midpoint ? middle : side === "buy" ? issue.ask : issue.bid, side, midpoint }
}

/** How many trades one order makes: mostly one to four, now and then more than fit into one frame of 20. */
export const sweepLength = (random: SeededRandom): number => {
  const draw = random.next()
  if (draw < 0.55) return 1
  return draw < 0.995 ? Math.min(20, 2 + Math.floor(random.exponential() * 3)) : 21 + random.below(30)
}

/** A third of all trades are of one share, a fifth of two, as in the recorded minutes of 005930. */
export const tradeSize = (price: number, random: SeededRandom): number => {
  const draw = random.next()
  if (draw < 0.32) return 1
  if (draw < 0.53) return 2
  return 3 + Math.floor(random.exponential() * Math.min(2_000, Math.max(3, 2_000_000 / price)))
}

/** Books one trade: volume rises by exactly its size, one of the two counters by one, the value by price × size. */
export const book = (issue: Issue, trade: Trade): void => {
  issue.price = trade.price
  issue.volume += trade.size
  issue.value += trade.price * trade.size
  if (trade.side === "buy") {
    issue.buyCount += 1
    issue.buyVolume += trade.size
  } else {
    issue.sellCount += 1
    issue.sellVolume += trade.size
  }
  if (issue.open === 0) {
    issue.open = trade.price
    issue.openHour = trade.hour
  }
  if (trade.price > issue.high) {
    issue.high = trade.price
    issue.highHour = trade.hour
  }
  if (issue.low === 0 || trade.price < issue.low) {
    issue.low = trade.price
    issue.lowHour = trade.hour
  }
}
