import { marketDate, marketHour, marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Phase } from "../../src/domain/Phase.ts"
import type { IndexLevel } from "../../src/simulator/market/Indices.ts"
import { type Issue, untraded } from "../../src/simulator/market/Issue.ts"
import type {
  Book,
  BookLevel,
  Breadth,
  ExpectedMatch,
  MarketListener,
  MarketOperation,
  MarketView
} from "../../src/simulator/market/MarketView.ts"
import { book as bookTrade, type Trade } from "../../src/simulator/market/trading.ts"
import type { StreamMarket } from "../../src/simulator/StreamApi.ts"
import { universe } from "../simulator/fixtures.ts"

/** A market in which nothing happens but what the test says. */
export interface ScriptedMarket extends StreamMarket {
  /** Throws for a code that is not listed. */
  issue(code: string): Issue
  /** Books the trade on its venue and tells the listeners. */
  trade(code: string, given?: Partial<Trade>): Trade
  book(code: string): void
  /** Begins or goes on with an auction of the issue; `undefined` ends it. */
  expect(code: string, match: ExpectedMatch | undefined): void
  index(level: IndexLevel): void
  operation(operation: MarketOperation): void
  /** What the opening auction gave. */
  opened(code: string, match: ExpectedMatch): void
  /** Ends a step and lets so much of the exchange's time pass, by default one beat of the frames. */
  step(ms?: number): void
  /** Ends steps until so much of the exchange's time has passed. */
  pass(ms: number): void
  to(date: string, hour: string): void
  phaseIs(phase: Phase): void
}

const tenLevels = (best: number, beyond: (price: number) => number, size: number): ReadonlyArray<BookLevel> => {
  const levels: Array<BookLevel> = []
  for (let price = best; levels.length < 10; price = beyond(price)) levels.push({ price, size: size + levels.length })
  return levels
}

const ladder = ({ ask, askSize, bid, bidSize, grid, totalAskSize, totalBidSize }: Issue): Book => ({
  asks: ask === 0 ? [] : tenLevels(ask, grid.up, askSize),
  bids: tenLevels(bid, grid.down, bidSize),
  totalAskSize,
  totalBidSize,
  totalAskChange: -3,
  totalBidChange: 7,
  midpoint: { price: Math.floor((ask + bid) / 2), size: 34, side: "1" }
})

/** As the captured frame of KOSPI200 of 2026-10-01 has them. */
const breadth: Breadth = { atUpper: 0, rising: 105, unchanged: 8, falling: 88, atLower: 0 }

const operationCodes: Partial<Record<Phase, string>> = { preOpen: "10", afterClose: "31", afterMarket: "30" }

/** Small, so that a test costs nothing: shares with and without Nextrade, the first ETN and ETF. */
const listed = new Set([
  ...universe.filter(({ code }) => code === "005930" || code === "000660"),
  ...universe.filter(({ basePrice, kind, nxt }) => kind === "common" && basePrice !== undefined && nxt).slice(0, 60),
  ...universe
    .filter(({ basePrice, flags, kind, nxt }) => kind === "common" && basePrice !== undefined && !nxt && flags === "")
    .slice(0, 60),
  ...universe
    .filter(({ basePrice, kind, market }) => kind === "common" && market === "KOSDAQ" && basePrice)
    .slice(0, 5),
  ...universe.filter(({ kind }) => kind === "etn").slice(0, 1),
  ...universe.filter(({ kind }) => kind === "etf").slice(0, 1)
])

/** Some issues of the universe, untraded, with quotes; continuous trading on a day after 2026-09-14. */
export const scriptedMarket = (): ScriptedMarket => {
  const issues = Array.from(listed, (entry) => untraded(entry, entry.basePrice ?? 0, entry.previousVolume))
  const byCode = new Map(issues.map((issue) => [issue.entry.code, issue]))
  for (const issue of issues) {
    issue.askSize = 120
    issue.bidSize = 150
    issue.totalAskSize = 4_000
    issue.totalBidSize = 5_000
    issue.sameTimeVolume = 1_000
  }
  const listeners: Array<MarketListener> = []
  const matches = new Map<Issue, ExpectedMatch>()
  const openings = new Map<Issue, ExpectedMatch>()
  const levels = new Map<string, IndexLevel>()
  let phase: Phase = "continuous"
  let nowMs = marketInstant("20261124", "100000") ?? 0
  const at = (code: string): Issue => {
    const issue = byCode.get(code)
    if (issue === undefined) throw new Error(`${code} is not in the universe`)
    return issue
  }

  const view: MarketView = {
    nowMs: () => nowMs,
    date: () => marketDate(nowMs),
    phase: () => phase,
    issues,
    issue: (code) => byCode.get(code),
    index: (code) => levels.get(code) ?? (["0001", "1001", "2001"].includes(code) ? kospi200 : undefined),
    indices: () => [...levels.values()],
    book: ladder,
    expected: (issue) => matches.get(issue),
    lastMatch: (issue) => openings.get(issue),
    opening: (issue) => openings.get(issue),
    reference: (issue) => issue.open || issue.basePrice,
    breadth: () => breadth,
    interruption: () => undefined,
    interruptions: () => [],
    trades: () => [],
    minutes: () => [],
    days: () => [],
    tradesMade: () => 0
  }
  const step = (ms = 200): void => {
    for (const listener of listeners) listener.onStepEnd()
    nowMs += ms
  }

  return {
    view,
    listen: (listener) => void listeners.push(listener),
    issue: at,
    trade: (code, given = {}) => {
      const issue = at(code)
      const trade: Trade = {
        hour: marketHour(nowMs),
        price: issue.ask,
        size: 1,
        side: "buy",
        midpoint: false,
        venue: "KRX",
        session: phase === "afterMarket" ? "3" : "2",
        hourClass: "0",
        operationCode: operationCodes[phase] ?? "20",
        auction: false,
        ...given
      }
      const tally = trade.venue === "NXT" ? issue.nxt : trade.operationCode === "40" ? issue.overtime : issue
      if (tally === undefined) throw new Error(`${code} is not on Nextrade`)
      bookTrade(tally, trade)
      for (const listener of listeners) listener.onTrade(issue, trade)
      return trade
    },
    book: (code) => {
      for (const listener of listeners) listener.onBook(at(code))
    },
    expect: (code, match) => {
      if (match === undefined) return void matches.delete(at(code))
      matches.set(at(code), match)
      for (const listener of listeners) listener.onExpected(at(code), match)
    },
    index: (level) => {
      levels.set(level.code, level)
      for (const listener of listeners) listener.onIndex(level)
    },
    operation: (operation) => {
      for (const listener of listeners) listener.onOperation(operation)
    },
    opened: (code, match) => void openings.set(at(code), match),
    step,
    pass: (ms) => {
      for (let left = ms; left > 0; left -= 200) step()
    },
    to: (date, hour) => {
      nowMs = marketInstant(date, hour) ?? Number.NaN
    },
    phaseIs: (now) => {
      phase = now
    }
  }
}

/** The level of the captured frame. */
export const kospi200: IndexLevel = {
  code: "2001",
  name: "KOSPI200",
  level: 1_101.44,
  previous: 1_081.82,
  open: 1_077.35,
  high: 1_102.88,
  low: 1_068.45,
  volume: 99_196,
  value: 12_550_500
}
