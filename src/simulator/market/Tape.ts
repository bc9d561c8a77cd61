import type { Tally } from "./Issue.ts"
import type { MinuteBar, PastTrade } from "./MarketView.ts"
import type { HourClass, SessionCode, Trade, Venue } from "./trading.ts"

const tradesKept = 100
const tradeWidth = 5
/** Minutes that traded; at any hour of the day a market would otherwise keep 1,440 of each issue. */
const minutesKept = 600
/** Minute, open, high, low, close, volume, value of the day. */
const barWidth = 7

const sides = ["buy", "sell", "none"] as const
const sessions: ReadonlyArray<SessionCode> = ["1", "2", "3", "5"]
const classes: ReadonlyArray<HourClass> = ["0", "A", "B", "C", "D"]

/** What an issue has done today at one venue: its last hundred trades and the minutes that had any. */
export interface Tape {
  record(trade: Trade, tally: Tally): void
  /** The newest first. */
  trades(basePrice: number): ReadonlyArray<PastTrade>
  /** Since this tape began, the oldest first. */
  minutes(): ReadonlyArray<MinuteBar>
}

/** Trades are kept as numbers: objects for all issues would take a hundred megabytes. */
export const makeTape = (venue: Venue): Tape => {
  let ring: Float64Array | undefined
  let made = 0
  const bars: Array<number> = []
  const codes: Array<string> = []

  const codeOf = (code: string) => {
    const known = codes.indexOf(code)
    return known >= 0 ? known : codes.push(code) - 1
  }

  const recordMinute = (minute: number, { price, size }: Trade, cumValue: number) => {
    let bar = bars.length - barWidth
    if (bars[bar] !== minute) {
      if (bars.length >= minutesKept * barWidth) bars.splice(0, barWidth)
      bar = bars.length
      bars.push(minute, price, price, price, price, 0, 0)
    }
    if (price > (bars[bar + 2] ?? 0)) bars[bar + 2] = price
    else if (price < (bars[bar + 3] ?? 0)) bars[bar + 3] = price
    bars[bar + 4] = price
    bars[bar + 5] = (bars[bar + 5] ?? 0) + size
    bars[bar + 6] = cumValue
  }

  const barAt = (at: number): MinuteBar => {
    const [minute = 0, open = 0, high = 0, low = 0, close = 0, volume = 0, cumValue = 0] = bars.slice(at, at + barWidth)
    return { hour: `${String(minute).padStart(4, "0")}00`, open, high, low, close, volume, cumValue }
  }

  const tradeAt = (ring: Float64Array, index: number, basePrice: number): PastTrade => {
    const at = (index % tradesKept) * tradeWidth
    const price = ring[at + 1] ?? 0
    const marks = ring[at + 4] ?? 0
    return {
      hour: String(ring[at] ?? 0).padStart(6, "0"),
      price,
      size: ring[at + 2] ?? 0,
      side: sides[marks & 3] ?? "none",
      midpoint: (marks & 4) > 0,
      auction: (marks & 8) > 0,
      venue,
      session: sessions[(marks >> 4) & 3] ?? "2",
      hourClass: classes[(marks >> 6) & 7] ?? "0",
      operationCode: codes[marks >> 9] ?? "20",
      cumVolume: ring[at + 3] ?? 0,
      change: price - basePrice
    }
  }

  return {
    record: (trade, tally) => {
      ring ??= new Float64Array(tradesKept * tradeWidth)
      const at = (made % tradesKept) * tradeWidth
      made += 1
      const hour = Number(trade.hour)
      ring[at] = hour
      ring[at + 1] = trade.price
      ring[at + 2] = trade.size
      ring[at + 3] = tally.volume
      ring[at + 4] =
        sides.indexOf(trade.side) |
        (trade.midpoint ? 4 : 0) |
        (trade.auction ? 8 : 0) |
        (sessions.indexOf(trade.session) << 4) |
        (classes.indexOf(trade.hourClass) << 6) |
        (codeOf(trade.operationCode) << 9)
      recordMinute(Math.floor(hour / 100), trade, tally.value)
    },
    trades: (basePrice) => {
      const past: Array<PastTrade> = []
      if (ring === undefined) return past
      for (let index = made - 1; index >= Math.max(0, made - tradesKept); index--)
        past.push(tradeAt(ring, index, basePrice))
      return past
    },
    minutes: () => Array.from({ length: bars.length / barWidth }, (_, index) => barAt(index * barWidth))
  }
}
