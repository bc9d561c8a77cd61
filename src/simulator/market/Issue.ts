import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { fundGrid, type Grid, priceLimits, shareGrid } from "./TickTable.ts"

/**
 * One issue on one trading day. Prices and values are KRW, volumes shares, hours `HHMMSS` of market time.
 * `open` 0 means: has not traded today. `ask` 0 means: locked at the upper limit, nobody sells.
 */
export interface Issue {
  readonly entry: UniverseEntry
  readonly grid: Grid
  /** Halted, or without a base price: it never trades and has no book. */
  readonly still: boolean
  basePrice: number
  upper: number
  lower: number
  previousVolume: number
  /** What yesterday had traded by this time of day. */
  sameTimeVolume: number
  /** Where the walk is drawn to, so that a fast ticker does not run to its limit within the hour. */
  anchor: number
  price: number
  bid: number
  ask: number
  bidSize: number
  askSize: number
  totalBidSize: number
  totalAskSize: number
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

const noHour = "000000"

/** The issue before its first trade of a day whose base price is given. */
export const untraded = (entry: UniverseEntry, basePrice: number, previousVolume: number): Issue => {
  const grid = entry.kind === "etf" || entry.kind === "etn" ? fundGrid : shareGrid
  const { lower, upper } = basePrice === 0 ? { lower: 0, upper: 0 } : priceLimits(basePrice, grid)
  const still = basePrice === 0 || entry.flags.includes("H")
  const bid = still ? 0 : Math.max(lower, grid.floor(basePrice))
  return {
    entry,
    grid,
    still,
    basePrice,
    upper,
    lower,
    previousVolume,
    sameTimeVolume: 0,
    anchor: basePrice,
    price: basePrice,
    bid,
    ask: still || bid >= upper ? 0 : grid.up(bid),
    bidSize: 0,
    askSize: 0,
    totalBidSize: 0,
    totalAskSize: 0,
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
  }
}

/** Draws new resting quantities around the present quotes. */
export const refreshBook = (issue: Issue, random: SeededRandom): void => {
  if (issue.still) return
  const scale = Math.max(1, Math.round(20_000_000 / issue.price))
  issue.bidSize = 1 + Math.floor(random.exponential() * scale)
  issue.askSize = issue.ask === 0 ? 0 : 1 + Math.floor(random.exponential() * scale)
  issue.totalBidSize = issue.bidSize * (8 + random.below(8)) + random.below(scale + 1)
  issue.totalAskSize = issue.ask === 0 ? 0 : issue.askSize * (8 + random.below(8)) + random.below(scale + 1)
}
