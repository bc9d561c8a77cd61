import { marketDate, marketHour } from "../../calendar/MarketTime.ts"
import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import { makeIndices, type IndexLevel } from "./Indices.ts"
import { beginDay, startIssue } from "./dayStart.ts"
import type { Issue } from "./Issue.ts"
import { seededRandom } from "./SeededRandom.ts"
import { book, nextSweep, sweepLength, type Trade, tradeSize } from "./trading.ts"

/** The trading floor: pure apart from its own state, the same for the same seed and number of steps. */
export interface Floor {
  readonly issues: ReadonlyArray<Issue>
  issue(code: string): Issue | undefined
  index(code: string): IndexLevel | undefined
  /** Makes the trades of one step; `onTrade` sees each one right after it has been booked. */
  step(atMs: number, onTrade: (issue: Issue, trade: Trade) => void): void
  /** The business date of the last step, `YYYYMMDD`. */
  readonly date: () => string
  readonly tradesMade: () => number
}

export interface FloorOptions {
  readonly seed: number
  readonly tradesPerSecond: number
  readonly stepMs: number
  readonly startMs: number
}

/** Activity falls with the rank by yesterday's turnover; at 400 trades a second the first makes about 30 of them. */
const activityExponent = 0.9

const cumulativeActivity = (ranked: ReadonlyArray<Issue>): Float64Array => {
  const sums = new Float64Array(ranked.length)
  let sum = 0
  for (let rank = 0; rank < ranked.length; rank++) sums[rank] = sum += (rank + 1) ** -activityExponent
  return sums
}

/** The first position whose sum exceeds `draw`. */
const positionOf = (sums: Float64Array, draw: number): number => {
  let low = 0,
    high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > draw) high = middle
    else low = middle + 1
  }
  return low
}

/** The market is open at any hour: before nine it has been open since midnight. */
const openHourAt = (atMs: number): string => (marketHour(atMs) >= "090030" ? "0900" : "0000")

export const makeFloor = (universe: ReadonlyArray<UniverseEntry>, options: FloorOptions): Floor => {
  const random = seededRandom(options.seed, 1)
  const now = marketHour(options.startMs)
  const opened = openHourAt(options.startMs)
  const issues = universe.map((entry) =>
    startIssue(entry, random, `${opened}${String(random.below(30)).padStart(2, "0")}`, now)
  )
  const byCode = new Map(issues.map((issue) => [issue.entry.code, issue]))
  const turnover = (issue: Issue) => issue.previousVolume * issue.basePrice
  const ranked = issues.filter((issue) => !issue.still).sort((a, b) => turnover(b) - turnover(a))
  const sums = cumulativeActivity(ranked)
  const total = sums.at(-1) ?? 0
  const indices = makeIndices(issues)
  let date = marketDate(options.startMs)
  let owed = 0
  let tradesMade = 0

  const turnDay = (today: string) => {
    if (today === date) return
    date = today
    for (const issue of issues) beginDay(issue, random)
    indices.beginDay()
  }

  return {
    issues,
    issue: (code) => byCode.get(code),
    index: indices.level,
    date: () => date,
    tradesMade: () => tradesMade,
    step: (atMs, onTrade) => {
      turnDay(marketDate(atMs))
      const hour = marketHour(atMs)
      owed += (options.tradesPerSecond * options.stepMs) / 1_000
      while (owed >= 1) {
        const issue = ranked[positionOf(sums, random.next() * total)]
        if (issue === undefined) return
        const { midpoint, price, side } = nextSweep(issue, random)
        // A long sweep may spend more than this step is owed; the next steps make up for it.
        for (let left = sweepLength(random); left > 0; left--) {
          const trade: Trade = { hour, price, size: tradeSize(price, random), side, midpoint }
          const before = issue.price
          book(issue, trade)
          indices.moved(issue, price - before)
          owed -= 1
          tradesMade += 1
          onTrade(issue, trade)
        }
      }
      indices.endStep()
    }
  }
}
