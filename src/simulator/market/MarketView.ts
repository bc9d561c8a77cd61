import type { Phase } from "../../domain/Phase.ts"
import type { IndexLevel } from "./Indices.ts"
import type { Issue } from "./Issue.ts"
import type { HourClass, Trade, Venue } from "./trading.ts"

/** One side of the book, the best level first. Prices KRW, sizes shares. Shorter than ten when the issue is locked at a limit. */
export interface BookLevel {
  readonly price: number
  readonly size: number
}

export interface Book {
  readonly asks: ReadonlyArray<BookLevel>
  readonly bids: ReadonlyArray<BookLevel>
  readonly totalAskSize: number
  readonly totalBidSize: number
  /** Since the book before. */
  readonly totalAskChange: number
  readonly totalBidChange: number
  /** Resting midpoint orders (`KMID_*`); size 0 when there are none. */
  readonly midpoint: { readonly price: number; readonly size: number; readonly side: "0" | "1" | "2" }
}

/** The price and volume an auction would give now. */
export interface ExpectedMatch {
  readonly price: number
  readonly volume: number
  /** B before the open, C after it or in an interruption, D in the single-price evening. */
  readonly hourClass: HourClass
}

/** How many members of an index stand where against their base price. */
export interface Breadth {
  readonly atUpper: number
  /** Without those at the limit, as `falling`. */
  readonly rising: number
  readonly unchanged: number
  readonly falling: number
  readonly atLower: number
}

/** A volatility interruption; hours `HHMMSS`, `endHour` absent while it lasts. */
export interface Interruption {
  readonly code: string
  readonly kind: "static" | "dynamic"
  readonly startHour: string
  readonly endHour: string | undefined
  /** What the price was measured against, and what triggered it. */
  readonly referencePrice: number
  readonly triggerPrice: number
}

/** A trade with the day's figures as it left them. */
export interface PastTrade extends Trade {
  readonly cumVolume: number
  readonly change: number
}

/** A minute that had a trade. Times: `hour` is the minute's start, `HHMMSS`; `cumValue` is of the day so far. */
export interface MinuteBar {
  readonly hour: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly cumValue: number
}

export interface DayBar {
  readonly date: string
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly value: number
  readonly previousClose: number
}

/** A market with a circuit breaker of its own. */
export type Board = "KOSPI" | "KOSDAQ"

/** Something the exchange announces: phases, interruptions, halts; `code` as in `fields/mkop_codes.json` or as captured. */
export interface MarketOperation {
  /** Absent: the whole market, or all of `market`. */
  readonly issueCode: string | undefined
  readonly market: Board | undefined
  readonly hour: string
  readonly operation: string
  readonly expectedOperation: string
  readonly halted: boolean
  readonly reason: string
  readonly interrupted: boolean
}

/** What REST and stream may know of the market, which is one and the same for both. Reading changes nothing. */
export interface MarketView {
  /** The time of the market's last step, UTC milliseconds; in a step, its own. */
  readonly nowMs: () => number
  /** The business date, `YYYYMMDD`. */
  readonly date: () => string
  readonly phase: () => Phase
  readonly issues: ReadonlyArray<Issue>
  issue(code: string): Issue | undefined
  index(code: string): IndexLevel | undefined
  readonly indices: () => ReadonlyArray<IndexLevel>
  /** KRX when no venue is given; Nextrade has one for the issues it lists, without midpoint orders. */
  book(issue: Issue, venue?: Venue): Book
  /** Present only in a call auction, the opening one, the closing one or that of an interruption. */
  expected(issue: Issue): ExpectedMatch | undefined
  /** What the last call auction that has ended gave, opening, interruption or closing; absent before the first of the day. */
  lastMatch(issue: Issue): ExpectedMatch | undefined
  interruption(issue: Issue): Interruption | undefined
  /** What the opening auction gave, kept until the next day begins; absent before it, and for what did not trade in it. */
  opening(issue: Issue): ExpectedMatch | undefined
  /** What a static interruption is measured against now: the base price, then the open, then the last auction's price. KRW. */
  reference(issue: Issue): number
  /** All zero for an unknown index. */
  breadth(indexCode: string): Breadth
  /** Today's, the newest first. */
  readonly interruptions: () => ReadonlyArray<Interruption>
  /** The newest first, at least the last hundred of the day. */
  trades(issue: Issue, venue?: Venue): ReadonlyArray<PastTrade>
  /** Today's minutes that have begun and traded, the oldest first. */
  minutes(issue: Issue, venue?: Venue): ReadonlyArray<MinuteBar>
  /** The trading days before today, the newest first; the same for the same issue at every start. */
  days(issue: Issue, count: number, venue?: Venue): ReadonlyArray<DayBar>
  readonly tradesMade: () => number
}

/** Sees what happens while the issue is as the event left it, then the end of the step. Must not throw or wait. */
export interface MarketListener {
  onTrade(issue: Issue, trade: Trade): void
  /** The book of an issue changed; at most once a step and issue. */
  onBook(issue: Issue): void
  /** The expected match of an issue in an auction changed. */
  onExpected(issue: Issue, match: ExpectedMatch): void
  /** Once a second and index while indices are computed. */
  onIndex(level: IndexLevel): void
  onOperation(operation: MarketOperation): void
  onStepEnd(): void
}
