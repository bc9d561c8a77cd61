import { type Issue, type Quotes, refreshBook, type Tally } from "./Issue.ts"
import type { SeededRandom } from "./SeededRandom.ts"

export type Venue = "KRX" | "NXT"
/** `MARKET_CLS_CODE`: 1 pre-market, 2 regular, 3 after-market, 5 closing price. */
export type SessionCode = "1" | "2" | "3" | "5"
/** `HOUR_CLS_CODE`: 0 trade, and for expected matches A, B, C or D. */
export type HourClass = "0" | "A" | "B" | "C" | "D"

/** What one trade was; what it left behind is read from the issue, or from its `nxt` or `overtime` figures. */
export interface Trade {
  /** `HHMMSS` of market time. */
  readonly hour: string
  /** KRW. */
  readonly price: number
  /** Shares. */
  readonly size: number
  /** `none`: nobody met anybody's quote, as in an auction; the counters stay as they were. */
  readonly side: "buy" | "sell" | "none"
  /** Filled between the ticks, half-way between bid and ask. */
  readonly midpoint: boolean
  readonly venue: Venue
  readonly session: SessionCode
  readonly hourClass: HourClass
  /** `NEW_MKOP_CLS_CODE`; `40` is the single-price evening of old, booked in `issue.overtime`. */
  readonly operationCode: string
  readonly auction: boolean
}

/** One order that sweeps through: its trades share price, side and quotes. */
export interface Sweep {
  readonly price: number
  readonly side: "buy" | "sell"
  readonly midpoint: boolean
}

/** Moves the quotes by at most a tick, drawn towards the anchor; in the recorded minutes they stood for hundreds of trades. */
export const drift = (quotes: Quotes, issue: Issue, random: SeededRandom): void => {
  const walked = quotes.anchor * (1 + 0.0004 * (random.next() - 0.5))
  quotes.anchor = Math.min(issue.basePrice * 1.2, Math.max(issue.basePrice * 0.8, walked))
  if (random.next() > 0.1) return
  const pull = Math.tanh((quotes.bid / quotes.anchor - 1) / 0.02)
  const isUp = random.next() < 0.5 - 0.45 * pull
  if (isUp && quotes.bid < issue.upper) setBid(quotes, issue, issue.grid.up(quotes.bid))
  else if (!isUp && quotes.bid > issue.lower) setBid(quotes, issue, issue.grid.down(quotes.bid))
}

/** Sets both quotes; at the upper limit nobody sells. `bid` lies on the grid, inside the limits. */
export const setBid = (quotes: Quotes, issue: Issue, bid: number): void => {
  quotes.bid = bid
  quotes.ask = bid >= issue.upper ? 0 : issue.grid.up(bid)
}

/** Draws new resting sizes and says how the next order meets the quotes. */
export const nextSweep = (quotes: Quotes, issue: Issue, random: SeededRandom): Sweep => {
  refreshBook(quotes, issue, random)
  const side = quotes.ask > 0 && random.next() < 0.5 ? "buy" : "sell"
  const middle = (quotes.bid + quotes.ask) / 2
  const midpoint = random.next() < 0.01 && quotes.ask > 0 && Number.isInteger(middle)
  return { price: midpoint ? middle : side === "buy" ? quotes.ask : quotes.bid, side, midpoint }
}

/** How many trades one order makes: mostly one to four, now and then more than fit into one frame of 20. */
export const sweepLength = (random: SeededRandom): number => {
  const draw = random.next()
  if (draw < 0.55) return 1
  return draw < 0.995 ? Math.min(20, 2 + Math.floor(random.exponential() * 2)) : 21 + random.below(30)
}

/** A third of all trades are of one share, a fifth of two, as in the recorded minutes of 005930. */
export const tradeSize = (price: number, random: SeededRandom): number => {
  const draw = random.next()
  if (draw < 0.32) return 1
  if (draw < 0.53) return 2
  return 3 + Math.floor(random.exponential() * Math.min(2_000, Math.max(3, 2_000_000 / price)))
}

/** Books one trade: volume rises by exactly its size, the value by price × size, and one of the two counters by one unless it met nobody's quote. */
export const book = (tally: Tally, trade: Trade): void => {
  tally.price = trade.price
  tally.volume += trade.size
  tally.value += trade.price * trade.size
  if (trade.side === "buy") {
    tally.buyCount += 1
    tally.buyVolume += trade.size
  } else if (trade.side === "sell") {
    tally.sellCount += 1
    tally.sellVolume += trade.size
  }
  if (tally.open === 0) {
    tally.open = trade.price
    tally.openHour = trade.hour
  }
  if (trade.price > tally.high) {
    tally.high = trade.price
    tally.highHour = trade.hour
  }
  if (tally.low === 0 || trade.price < tally.low) {
    tally.low = trade.price
    tally.lowHour = trade.hour
  }
}
