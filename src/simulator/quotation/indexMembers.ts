import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"

const outside = new Set(["etf", "etn", "bene", "right", "warrant", "pubfund", "mutual"])
const worth = (issue: Issue) => issue.basePrice * issue.entry.listedShares

interface Memberships {
  readonly date: string
  readonly byIndex: ReadonlyMap<string, ReadonlySet<Issue>>
}

/** Ranking the market takes a millisecond, and holds for a day. */
const known = new WeakMap<MarketView, Memberships>()

const membershipsOf = (market: MarketView): Memberships => {
  const date = market.date()
  const before = known.get(market)
  if (before?.date === date) return before
  const shares = market.issues.filter(({ entry }) => !outside.has(entry.kind))
  const board = (name: string) => shares.filter(({ entry }) => entry.market === name)
  const largest = (issues: ReadonlyArray<Issue>, count: number) =>
    [...issues].sort((a, b) => worth(b) - worth(a)).slice(0, count)
  const kospi = board("KOSPI")
  const kosdaq = board("KOSDAQ")
  // The universe does not say who belongs to the 200 and the 150: the largest do.
  const byIndex = new Map([
    ["0001", new Set(kospi)],
    ["1001", new Set(kosdaq)],
    ["2001", new Set(largest(kospi, 200))],
    ["3003", new Set(largest(kosdaq, 150))]
  ])
  const memberships = { date, byIndex }
  known.set(market, memberships)
  return memberships
}

const none: ReadonlySet<Issue> = new Set()

/** Who belongs to an index on this day. */
export const membersOf = (market: MarketView, index: string): ReadonlySet<Issue> =>
  membershipsOf(market).byIndex.get(index) ?? none

/** `rprs_mrkt_kor_name`: not the issue's name, but that of the most select index it is in. */
export const boardLabel = (market: MarketView, issue: Issue): string => {
  if (membersOf(market, "2001").has(issue)) return "KOSPI200"
  return membersOf(market, "3003").has(issue) ? "KSQ150" : issue.entry.market
}
