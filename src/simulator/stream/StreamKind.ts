import type { IndexLevel } from "../market/Indices.ts"
import type { Issue } from "../market/Issue.ts"
import type { ExpectedMatch, MarketOperation, MarketView } from "../market/MarketView.ts"
import type { Trade } from "../market/trading.ts"
import type { StreamOptions } from "./StreamOptions.ts"

/** What every encoder may look at. */
export interface World {
  readonly view: MarketView
  readonly options: StreamOptions
}

/** What a `tr_key` of the stream names. */
export type KeyKind = "issue" | "index" | "htsId"

/** One record as it goes out, and what of it is needed to gather records into frames and to account for them. */
export interface StreamRecord {
  readonly text: string
  /** The day's volume on the stream's venue as this record left it; absent where there is none. Shares. */
  readonly cumVolume?: number
  /** The quotes in it; records of other quotes begin a new frame. KRW. */
  readonly ask?: number
  readonly bid?: number
}

/**
 * One TR of the stream: who may ask for it, and what it says of each event. A kind says nothing of the events whose
 * encoder it lacks, and `undefined` says nothing of this one.
 */
export interface StreamKind {
  readonly trId: string
  readonly keys: KeyKind
  readonly offeredBy: "live" | "mock" | "both"
  /** Whether an issue that may be asked for is ever heard of: the silent-subscription trap. Absent: always. */
  readonly carries?: (issue: Issue) => boolean
  readonly onTrade?: (issue: Issue, trade: Trade) => StreamRecord | undefined
  /** Asked when the frame leaves, so that the book is the one of that moment. */
  readonly onBook?: (issue: Issue) => StreamRecord
  readonly onExpected?: (issue: Issue, match: ExpectedMatch) => StreamRecord
  readonly onIndex?: (level: IndexLevel) => StreamRecord
  readonly onOperation?: (issue: Issue, operation: MarketOperation) => StreamRecord
}
