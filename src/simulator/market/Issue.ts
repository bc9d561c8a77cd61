import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { fundGrid, type Grid, priceLimits, shareGrid } from "./TickTable.ts"

/** The best prices, what rests there and on all ten levels. `ask` 0 means: locked at the upper limit, nobody sells. */
export interface Quotes {
  bid: number
  ask: number
  bidSize: number
  askSize: number
  totalBidSize: number
  totalAskSize: number
  /** Where the walk is drawn to, so that a fast ticker does not run to its limit within the hour. */
  anchor: number
}

/** What a day's trades add up to. `open` 0 means: has not traded today. */
export interface Tally {
  price: number
  open: number
  high: number
  low: number
  openHour: string
  highHour: string
  lowHour: string
  volume: number
  value: number
  sellCount: number
  buyCount: number
  sellVolume: number
  buyVolume: number
}

/** Total sizes when the book was last shown, and how they had changed since the time before. */
export interface Shown {
  shownAskSize: number
  shownBidSize: number
  askChange: number
  bidChange: number
}

/** The same day at Nextrade, whose trades are in none of the issue's own figures. */
export interface NxtFigures extends Quotes, Tally, Shown {
  previousVolume: number
}

export type AuctionKind = "opening" | "closing" | "interruption" | "resume" | "liquidation" | "overtime"

/** How an issue stands on the floor; only the floor writes here. */
export interface Standing extends Shown {
  state: "closed" | "auction" | "continuous" | "stopped"
  auction: AuctionKind | undefined
  /** Rises with every change of `state`, so that an appointment made before can see that it is void. */
  turn: number
  expectedPrice: number
  expectedVolume: number
  /** The volume that this auction is gathering towards. */
  targetVolume: number
  openingPrice: number
  openingVolume: number
  matchPrice: number
  matchVolume: number
  /** Whether the book changed in this step. */
  changed: boolean
}

/**
 * One issue on one trading day at KRX. Prices and values are KRW, volumes shares, hours `HHMMSS` of market time.
 */
export interface Issue extends Quotes, Tally {
  readonly entry: UniverseEntry
  readonly grid: Grid
  /** Halted all day, or without a base price: it never trades and has no book. */
  readonly still: boolean
  /** In its last days before delisting: single-price auctions every half hour, and no price limits. */
  readonly liquidating: boolean
  /** A move by so many per cent in one trade interrupts it. */
  dynamicPercent: number
  /** Right now, all day or for a while. */
  halted: boolean
  haltReason: string
  basePrice: number
  upper: number
  lower: number
  previousVolume: number
  /** What yesterday had traded by this time of day. */
  sameTimeVolume: number
  /** What a static interruption is measured against. */
  reference: number
  /** The price of the closing auction, or the last one before it; 0 until it is over. */
  close: number
  /** The part of volume and value that came without a print: closing-price trades before the open. */
  offBookVolume: number
  offBookValue: number
  /** Absent for what Nextrade does not list. */
  readonly nxt: NxtFigures | undefined
  /** The single-price evening, which ended in September 2026. */
  readonly overtime: Tally
  readonly standing: Standing
}

const noHour = "000000"

const emptyTally = (price: number): Tally => ({
  price,
  open: 0,
  high: 0,
  low: 0,
  openHour: noHour,
  highHour: noHour,
  lowHour: noHour,
  volume: 0,
  value: 0,
  sellCount: 0,
  buyCount: 0,
  sellVolume: 0,
  buyVolume: 0
})

/** What the day had come to, apart from the object that goes on. */
export const tallyOf = (day: Tally): Tally => ({
  price: day.price,
  open: day.open,
  high: day.high,
  low: day.low,
  openHour: day.openHour,
  highHour: day.highHour,
  lowHour: day.lowHour,
  volume: day.volume,
  value: day.value,
  sellCount: day.sellCount,
  buyCount: day.buyCount,
  sellVolume: day.sellVolume,
  buyVolume: day.buyVolume
})

const quotesAround = (bid: number, ask: number, anchor: number): Quotes => ({
  bid,
  ask,
  bidSize: 0,
  askSize: 0,
  totalBidSize: 0,
  totalAskSize: 0,
  anchor
})

const newShown = (): Shown => ({ shownAskSize: 0, shownBidSize: 0, askChange: 0, bidChange: 0 })

const newStanding = (): Standing => ({
  state: "closed",
  auction: undefined,
  turn: 0,
  expectedPrice: 0,
  expectedVolume: 0,
  targetVolume: 0,
  openingPrice: 0,
  openingVolume: 0,
  matchPrice: 0,
  matchVolume: 0,
  ...newShown(),
  changed: false
})

export const isFund = ({ kind }: UniverseEntry): boolean => kind === "etf" || kind === "etn"

/** Twice the leverage, twice the limits; only the name tells. */
const isLeveraged = (entry: UniverseEntry) => isFund(entry) && /레버리지|2X/i.test(entry.name)

const limitsOf = (entry: UniverseEntry, basePrice: number, grid: Grid) => {
  if (basePrice === 0) return { lower: 0, upper: 0 }
  // What the broker prints as the limits of an issue that has none is not known [U].
  if (entry.flags.includes("L")) return { lower: 1, upper: grid.floor(basePrice * 10) }
  return priceLimits(basePrice, grid, entry.market === "KONEX" ? 15 : isLeveraged(entry) ? 60 : 30)
}

/** The issue before its first trade of a day whose base price is given. */
export const untraded = (
  entry: UniverseEntry,
  basePrice: number,
  previousVolume: number,
  previousNxtVolume = Math.round(previousVolume * 0.4)
): Issue => {
  const grid = isFund(entry) ? fundGrid : shareGrid
  const { lower, upper } = limitsOf(entry, basePrice, grid)
  const liquidating = entry.flags.includes("L")
  // In liquidation nothing is halted: it is the last chance to sell.
  const still = basePrice === 0 || (entry.flags.includes("H") && !liquidating)
  const bid = still ? 0 : Math.max(lower, grid.floor(basePrice))
  const ask = still || bid >= upper ? 0 : grid.up(bid)
  // One literal, written out: this is the object that every trade touches.
  return {
    entry,
    grid,
    still,
    liquidating,
    // Members of the KOSPI200 get 3 too, as soon as the indices have named them.
    dynamicPercent: isFund(entry) ? 3 : 6,
    halted: still && entry.flags.includes("H"),
    haltReason: "",
    basePrice,
    upper,
    lower,
    previousVolume,
    sameTimeVolume: 0,
    reference: basePrice,
    close: 0,
    offBookVolume: 0,
    offBookValue: 0,
    price: basePrice,
    open: 0,
    high: 0,
    low: 0,
    openHour: noHour,
    highHour: noHour,
    lowHour: noHour,
    volume: 0,
    value: 0,
    sellCount: 0,
    buyCount: 0,
    sellVolume: 0,
    buyVolume: 0,
    bid,
    ask,
    bidSize: 0,
    askSize: 0,
    totalBidSize: 0,
    totalAskSize: 0,
    anchor: basePrice,
    nxt: entry.nxt
      ? {
          ...emptyTally(basePrice),
          ...quotesAround(bid, ask, basePrice),
          ...newShown(),
          previousVolume: previousNxtVolume
        }
      : undefined,
    overtime: emptyTally(basePrice),
    standing: newStanding()
  }
}

/** Draws new resting quantities around the present quotes; at a limit nothing rests beyond the best price. */
export const refreshBook = (quotes: Quotes, issue: Issue, random: SeededRandom): void => {
  if (issue.still) return
  const scale = Math.max(1, Math.round(20_000_000 / issue.price))
  quotes.bidSize = 1 + Math.floor(random.exponential() * scale)
  quotes.askSize = quotes.ask === 0 ? 0 : 1 + Math.floor(random.exponential() * scale)
  // Nine more levels, each with one share at least.
  const behindBid = quotes.bidSize * (7 + random.below(8)) + 9 + random.below(scale + 1)
  const behindAsk = quotes.askSize * (7 + random.below(8)) + 9 + random.below(scale + 1)
  quotes.totalBidSize = quotes.bidSize + (quotes.bid <= issue.lower ? 0 : behindBid)
  quotes.totalAskSize = quotes.ask === 0 ? 0 : quotes.askSize + (quotes.ask >= issue.upper ? 0 : behindAsk)
}
