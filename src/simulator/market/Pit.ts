import { marketHour } from "../../calendar/MarketTime.ts"
import type { Agenda } from "./Agenda.ts"
import type { Issue, Quotes, Shown } from "./Issue.ts"
import type { ExpectedMatch, MarketListener, MarketOperation } from "./MarketView.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { book, type Trade } from "./trading.ts"

/** Books every trade into the figures it belongs to, before anybody hears of it. */
export interface Bookkeeper {
  onPrint(issue: Issue, trade: Trade, change: number): void
}

/** What the parts of the floor share: the time, chance, appointments, and the only ways to print and to announce. */
export interface Pit {
  readonly random: SeededRandom
  readonly agenda: Agenda
  readonly nowMs: () => number
  /** `HHMMSS` of now. */
  readonly hour: () => string
  setNow(atMs: number): void
  print(issue: Issue, trade: Trade): void
  /** The book of an issue changed; it is shown at the end of the step. */
  touch(issue: Issue): void
  expect(issue: Issue, match: ExpectedMatch): void
  announce(operation: Omit<MarketOperation, "hour">): void
  /** Shows the books that changed since the last time. */
  showBooks(): void
  readonly tradesMade: () => number
}

/** Up to 30 s after its nominal end an auction is over. */
export const randomEnd_ms = 30_000

const noteShown = (shown: Shown, { totalAskSize, totalBidSize }: Quotes) => {
  shown.askChange = totalAskSize - shown.shownAskSize
  shown.bidChange = totalBidSize - shown.shownBidSize
  shown.shownAskSize = totalAskSize
  shown.shownBidSize = totalBidSize
}

export const makePit = (random: SeededRandom, agenda: Agenda, listener: MarketListener, books: Bookkeeper): Pit => {
  const changed: Array<Issue> = []
  let nowMs = 0
  let second = -1
  let hour = "000000"
  let tradesMade = 0

  const touch = (issue: Issue) => {
    if (issue.standing.changed) return
    issue.standing.changed = true
    changed.push(issue)
  }

  return {
    random,
    agenda,
    nowMs: () => nowMs,
    hour: () => hour,
    setNow: (atMs) => {
      nowMs = atMs
      const now = Math.floor(atMs / 1_000)
      if (now === second) return
      second = now
      hour = marketHour(atMs)
    },
    print: (issue, trade) => {
      const before = issue.price
      const tally = trade.venue === "NXT" ? issue.nxt : trade.operationCode === "40" ? issue.overtime : issue
      if (tally === undefined) return
      book(tally, trade)
      tradesMade += 1
      books.onPrint(issue, trade, issue.price - before)
      touch(issue)
      listener.onTrade(issue, trade)
    },
    touch,
    expect: (issue, match) => listener.onExpected(issue, match),
    announce: (operation) => listener.onOperation({ ...operation, hour }),
    showBooks: () => {
      for (const issue of changed) {
        issue.standing.changed = false
        noteShown(issue.standing, issue)
        if (issue.nxt !== undefined) noteShown(issue.nxt, issue.nxt)
        listener.onBook(issue)
      }
      changed.length = 0
    },
    tradesMade: () => tradesMade
  }
}
