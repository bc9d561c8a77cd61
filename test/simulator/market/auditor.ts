import { assert } from "@effect/vitest"
import { isFund, type Issue, type Tally } from "../../../src/simulator/market/Issue.ts"
import { marketHour } from "../../../src/calendar/MarketTime.ts"
import type { IndexLevel } from "../../../src/simulator/market/Indices.ts"
import type { BookLevel, MarketListener, MarketView } from "../../../src/simulator/market/MarketView.ts"
import type { Trade } from "../../../src/simulator/market/trading.ts"

/** The hours of a day, `HHMMSS`. */
export interface DayHours {
  readonly preOpen: string
  readonly open: string
  readonly closing: string
  readonly close: string
  readonly closingPriceFrom: string
  readonly eveningFrom: string
  readonly eveningTo: string
  readonly eveningCode: "30" | "40"
  readonly nxt: ReadonlyArray<readonly [from: string, to: string, session: string]>
}

const later = (hour: string, seconds: number): string => {
  const total = Number(hour.slice(0, 2)) * 3_600 + Number(hour.slice(2, 4)) * 60 + Number(hour.slice(4)) + seconds
  return [total / 3_600, (total / 60) % 60, total % 60]
    .map((part) => String(Math.floor(part)).padStart(2, "0"))
    .join("")
}

type Sums = Omit<Tally, "openHour" | "highHour" | "lowHour">

const sumsOf = (tally: Tally): Sums => ({
  price: tally.price,
  open: tally.open,
  high: tally.high,
  low: tally.low,
  volume: tally.volume,
  value: tally.value,
  sellCount: tally.sellCount,
  buyCount: tally.buyCount,
  sellVolume: tally.sellVolume,
  buyVolume: tally.buyVolume
})

const nothing: Sums = {
  price: 0,
  open: 0,
  high: 0,
  low: 0,
  volume: 0,
  value: 0,
  sellCount: 0,
  buyCount: 0,
  sellVolume: 0,
  buyVolume: 0
}

const expectedAfter = (sums: Sums, { price, side, size }: Trade): Sums => ({
  price,
  open: sums.open || price,
  high: Math.max(sums.high, price),
  low: sums.low === 0 ? price : Math.min(sums.low, price),
  volume: sums.volume + size,
  value: sums.value + price * size,
  sellCount: sums.sellCount + (side === "sell" ? 1 : 0),
  buyCount: sums.buyCount + (side === "buy" ? 1 : 0),
  sellVolume: sums.sellVolume + (side === "sell" ? size : 0),
  buyVolume: sums.buyVolume + (side === "buy" ? size : 0)
})

const differs = (a: Sums, b: Sums): boolean => {
  for (const key of Object.keys(a) as ReadonlyArray<keyof Sums>) if (a[key] !== b[key]) return true
  return false
}

/** A check without the cost of a message or a stack, for what is asked a million times. */
const must = (holds: boolean, say: () => string): void => {
  if (!holds) assert.fail(say())
}

/** Watches a whole day and fails at the first thing that does not hold together. */
export const makeAuditor = (hours: DayHours) => {
  let watched: MarketView | undefined
  const view = (): MarketView => {
    assert.isDefined(watched)
    return watched
  }
  const sums = new Map<Tally, Sums>()
  const offBook = new Map<Issue, number>()
  const shown = new Set<Issue>()
  const openings = new Map<Issue, number>()
  const closings = new Map<Issue, number>()
  const openEnd = later(hours.open, 30)
  const closeEnd = later(hours.close, 180)
  let books = 0
  const heard = { trades: 0, expected: 0, indices: 0, midpoints: 0, nxt: 0, offBook: 0, evening: 0, closingPrice: 0 }

  const isOpenHour = (trade: Trade): boolean => {
    const { auction, hour, operationCode, session, venue } = trade
    if (venue === "NXT") return hours.nxt.some(([from, to, code]) => code === session && from <= hour && hour <= to)
    if (session === "5") return auction && hours.closingPriceFrom <= hour && hour <= hours.eveningFrom
    if (session === "3")
      return operationCode === hours.eveningCode && hours.eveningFrom <= hour && hour <= hours.eveningTo
    if (session !== "2") return false
    if (!auction) return hours.open <= hour && hour <= hours.closing
    return (hours.open <= hour && hour <= hours.closing) || (hours.close <= hour && hour <= closeEnd)
  }

  const checkPrice = (issue: Issue, trade: Trade, say: (what: string) => () => string) => {
    const { close, grid, lower, upper } = issue
    must(lower <= trade.price && trade.price <= upper, say("inside the limits"))
    if (trade.midpoint) {
      const quotes = trade.venue === "NXT" && issue.nxt !== undefined ? issue.nxt : issue
      must(trade.price * 2 === quotes.ask + quotes.bid, say("half-way"))
      heard.midpoints += 1
    } else if (trade.session === "5") must(trade.price === close, say("at the close"))
    else must(grid.floor(trade.price) === trade.price, say("on the grid"))
    if (trade.operationCode === "40")
      must(Math.abs(trade.price - close) * 10 <= close, say("within a tenth of the close"))
  }

  const listener: Partial<MarketListener> = {
    onTrade: (issue, trade) => {
      const say = (what: string) => () => `${what}: ${issue.entry.code} ${JSON.stringify(trade)}`
      const isEvening = trade.operationCode === "40"
      const tally: Tally | undefined = trade.venue === "NXT" ? issue.nxt : isEvening ? issue.overtime : issue
      assert.isDefined(tally)
      const silent = tally === issue ? issue.offBookVolume - (offBook.get(issue) ?? 0) : 0
      const before = sums.get(tally) ?? nothing
      const began = { ...before, volume: before.volume + silent, value: before.value + silent * issue.basePrice }
      const sum = sumsOf(tally)
      if (differs(sum, expectedAfter(began, trade)))
        assert.deepStrictEqual(sum, expectedAfter(began, trade), say("sums")())
      sums.set(tally, sum)
      if (tally === issue) offBook.set(issue, issue.offBookVolume)
      must(isOpenHour(trade), say("while its market is open"))
      must(!issue.still && !issue.halted, say("not halted"))
      must(trade.auction === (trade.side === "none"), say("a side outside auctions"))
      must(trade.auction || view().interruption(issue) === undefined, say("not interrupted"))
      must(trade.size >= 1, say("a size"))
      must(trade.operationCode !== "30" || !isFund(issue.entry), say("no fund in the after-market"))
      checkPrice(issue, trade, say)
      heard.trades += 1
      if (trade.venue === "NXT") heard.nxt += 1
      if (trade.session === "5") heard.closingPrice += 1
      if (trade.session === "3") heard.evening += 1
      if (silent > 0) heard.offBook += 1
      if (trade.venue === "KRX" && trade.auction && trade.session === "2") {
        if (trade.hour <= openEnd) openings.set(issue, (openings.get(issue) ?? 0) + 1)
        if (trade.hour >= hours.close) closings.set(issue, (closings.get(issue) ?? 0) + 1)
      }
    },
    onBook: (issue) => {
      must(!shown.has(issue), () => `${issue.entry.code}: its book is shown once a step`)
      shown.add(issue)
      if (books++ % 11 === 0) checkBook(view(), issue)
    },
    onExpected: (issue, match) => {
      heard.expected += 1
      const say = () => `${issue.entry.code} expects ${JSON.stringify(match)}`
      must(issue.lower <= match.price && match.price <= issue.upper, say)
      must(issue.grid.floor(match.price) === match.price && match.volume >= 1, say)
      must(view().expected(issue)?.price === match.price, say)
    },
    onIndex: (level) => {
      must(marketHour(view().nowMs()) <= closeEnd, () => "no index after the close")
      if (heard.indices++ % 997 === 0) checkIndex(view(), level)
    },
    onStepEnd: () => shown.clear()
  }

  return { listener, heard, openings, closings, watch: (market: MarketView) => void (watched = market) }
}

/** Prices on the grid and inside the limits, the best ones the issue's, sizes adding up to the totals. */
export const checkBook = (view: MarketView, issue: Issue): void => {
  const { ask, askSize, bid, bidSize, grid, lower, upper } = issue
  const { asks, bids, midpoint, totalAskSize, totalBidSize } = view.book(issue)
  const say = (what: string) => () => `the book of ${issue.entry.code}: ${what}`
  const sizes = (levels: ReadonlyArray<BookLevel>) => levels.reduce((sum, { size }) => sum + size, 0)
  must((bids[0]?.price ?? 0) === bid && (bids[0]?.size ?? 0) === bidSize, say("the best bid"))
  must((asks[0]?.price ?? 0) === ask && (asks[0]?.size ?? 0) === askSize, say("the best ask"))
  must(totalBidSize === sizes(bids) && totalAskSize === sizes(asks), say("the totals"))
  for (const [levels, next, limit] of [[bids, grid.down, lower] as const, [asks, grid.up, upper] as const]) {
    let before = 0
    for (const { price, size } of levels) {
      must(grid.floor(price) === price && lower <= price && price <= upper && size >= 1, say(`${price} × ${size}`))
      must(before === 0 || price === next(before), say("every tick"))
      before = price
    }
    must(levels.length === 0 || levels.length === 10 || before === limit, say("ten levels or the limit"))
  }
  must(midpoint.size === 0 || midpoint.price * 2 === ask + bid, say("the midpoint"))
}

/** The level is the members' worth against that of their base prices. */
const checkIndex = (view: MarketView, index: IndexLevel): void => {
  const isMember = ({ entry: { kind, market } }: Issue) =>
    (market === "KOSDAQ") === (index.code === "1001") &&
    !["etf", "etn", "bene", "right", "warrant", "pubfund", "mutual"].includes(kind)
  const base = ({ basePrice, entry }: Issue) => basePrice * entry.listedShares
  const listed = view.issues.filter(isMember)
  const members = index.code === "2001" ? listed.sort((a, b) => base(b) - base(a)).slice(0, 200) : listed
  const worth = members.reduce((sum, { entry, price }) => sum + price * entry.listedShares, 0)
  const before = members.reduce((sum, issue) => sum + base(issue), 0)
  assert.approximately(index.level, (index.previous * worth) / before, 0.000_1, index.code)
  assert.isTrue(index.low <= index.level && index.level <= index.high && index.low <= index.open, index.code)
  const { atLower, atUpper, falling, rising, unchanged } = view.breadth(index.code)
  assert.strictEqual(atLower + atUpper + falling + rising + unchanged, members.length, index.code)
}
