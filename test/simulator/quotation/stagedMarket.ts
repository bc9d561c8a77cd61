import type { UniverseEntry } from "../../../src/domain/UniverseFile.ts"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { type Issue, untraded } from "../../../src/simulator/market/Issue.ts"
import type { Book, MarketView } from "../../../src/simulator/market/MarketView.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"

/** A listed company of a test; what is not given is that of a plain KOSPI share. */
export const entry = (given: Partial<UniverseEntry> = {}): UniverseEntry => ({
  code: "005930",
  isin: "KR7005930003",
  name: "삼성전자",
  market: "KOSPI",
  kind: "common",
  listedShares: 5_846_278_000,
  basePrice: 299_000,
  previousVolume: 23_441_372,
  flags: "",
  nxt: true,
  ...given
})

export const issueOf = (given: Partial<UniverseEntry> = {}, day: Partial<Issue> = {}): Issue => {
  const listed = entry(given)
  return { ...untraded(listed, listed.basePrice ?? 0, listed.previousVolume), ...day }
}

const noBook: Book = {
  asks: [],
  bids: [],
  totalAskSize: 0,
  totalBidSize: 0,
  totalAskChange: 0,
  totalBidChange: 0,
  midpoint: { price: 0, size: 0, side: "0" }
}

/** A market that stands still at 15:08:22 of 2026-05-27, when the captured replies were taken; a test gives what matters. */
export const stagedMarket = (issues: ReadonlyArray<Issue>, given: Partial<MarketView> = {}): MarketView => ({
  nowMs: () => marketInstant("20260527", "150822") ?? Number.NaN,
  date: () => "20260527",
  phase: () => "continuous",
  issues,
  issue: (code) => issues.find((issue) => issue.entry.code === code),
  index: () => undefined,
  indices: () => [],
  book: () => noBook,
  expected: () => undefined,
  lastMatch: () => undefined,
  interruption: () => undefined,
  opening: () => undefined,
  reference: (issue) => issue.basePrice,
  breadth: () => ({ atUpper: 0, rising: 0, unchanged: 0, falling: 0, atLower: 0 }),
  interruptions: () => [],
  trades: () => [],
  minutes: () => [],
  days: () => [],
  tradesMade: () => 0,
  ...given
})

export const tradeOf = (given: Partial<Trade>): Trade => ({
  hour: "150822",
  price: 307_000,
  size: 1,
  side: "buy",
  midpoint: false,
  venue: "KRX",
  session: "2",
  hourClass: "0",
  operationCode: "20",
  auction: false,
  ...given
})
