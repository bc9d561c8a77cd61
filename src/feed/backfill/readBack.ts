import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { marketDate, marketHour, marketInstant } from "../../calendar/MarketTime.ts"
import { type KisError, KisReplyMalformed } from "../../kis/KisError.ts"
import { fieldOf } from "../../kis/QuotationCall.ts"
import type { TradeListCall, TradeLists, TradePage } from "../../kis/TradeList.ts"
import { numberOf } from "../KisQuote.ts"
import { byTime, isBefore } from "./cut.ts"
import { type Hole, overlap_ms, type Span } from "./Hole.ts"
import { type ListedTrade, listedTrade } from "./tradeRow.ts"

/** What the broker listed of the time of a hole and around it. */
export interface Reading {
  readonly call: TradeListCall
  /** Each once, in the order of the day. */
  readonly trades: ReadonlyArray<ListedTrade>
  /** The volume of today when the reply was made, where the reply says it. */
  readonly cumVolumeToday: number | undefined
  /** The list was read back to a trade before the hole. */
  readonly isWhole: boolean
}

export interface ReadBackOptions {
  /** Replies read for one hole. */
  readonly pages_max: number
  /** Between two calls, so that what is late anyway does not crowd out what is not. */
  readonly pause_ms: number
}

/**
 * Reads the list of trades from a hole's end backwards, page by page, until a trade before the hole. A second that holds
 * more trades than a page does is listed only by its newest ones: no call reaches the others. Where the broker refuses
 * the call, the newest trades of all are looked at instead.
 */
export const readBack = Effect.fnUntraced(function* (
  lists: TradeLists,
  hole: Hole,
  span: Span,
  { pages_max, pause_ms }: ReadBackOptions
): Effect.fn.Return<Reading, KisError> {
  const trades: Array<ListedTrade> = []
  const known = new Set<string>()
  let cumVolumeToday: number | undefined
  let hour = firstHour(span)
  let isWhole = false
  for (let pages = 1; pages <= pages_max; pages++) {
    const page = yield* lists
      .until(hole.symbol, hour)
      .pipe(Effect.catchTag("KisRefused", (error) => (pages === 1 ? lists.latest(hole.symbol) : Effect.fail(error))))
    const listed = yield* readPage(page, span.date)
    cumVolumeToday ??= numberOf(page.issue && fieldOf(page.issue, "acml_vol"))
    if (isOfAnotherDay(listed, cumVolumeToday)) break
    addNew(trades, known, listed)
    isWhole = listed.some((trade) => isBefore(hole, span, trade))
    const next = page.call === "inquire-ccnl" ? undefined : earlierHour(span.date, hour, listed)
    if (isWhole || next === undefined) {
      return { call: page.call, trades: trades.sort(byTime), cumVolumeToday, isWhole }
    }
    hour = next
    yield* Effect.sleep(pause_ms)
  }
  return { call: "inquire-time-itemconclusion", trades: trades.sort(byTime), cumVolumeToday, isWhole }
})

const firstHour = ({ date, toMs }: Span): string =>
  marketDate(toMs + overlap_ms) === date ? marketHour(toMs + overlap_ms) : marketHour(toMs)

const readPage = Effect.fnUntraced(function* ({ call, rows }: TradePage, date: string) {
  const receivedAtMs = yield* marketNow
  const listed: Array<ListedTrade> = []
  for (const row of rows) {
    const trade = listedTrade(row, date, receivedAtMs)
    if (trade === "unreadable") {
      const detail = "a trade has a time that cannot be read"
      return yield* new KisReplyMalformed({ operation: call, detail, raw: JSON.stringify(row).slice(0, 2_000) })
    }
    if (trade !== undefined) listed.push(trade)
  }
  return listed
})

/** Before an issue's first trade of the day its list may still be yesterday's, whose volumes today has not come to. */
const isOfAnotherDay = (listed: ReadonlyArray<ListedTrade>, cumVolumeToday: number | undefined): boolean =>
  cumVolumeToday !== undefined &&
  listed.length > 0 &&
  listed.every(({ cumVolume }) => cumVolume !== undefined && cumVolume > cumVolumeToday)

/**
 * Adds what earlier pages have not shown, newest first; pages overlap in the second at which one ends and the next
 * begins. Two trades with the same cumulative volume are one; without such volumes twins of one page are two.
 */
const addNew = (trades: Array<ListedTrade>, known: Set<string>, listed: ReadonlyArray<ListedTrade>): void => {
  const later: Array<string> = []
  for (const trade of listed) {
    if (known.has(trade.sameness)) continue
    trades.unshift(trade)
    if (trade.cumVolume === undefined) later.push(trade.sameness)
    else known.add(trade.sameness)
  }
  for (const sameness of later) known.add(sameness)
}

/**
 * The hour to ask for next: that of the oldest trade shown, whose second may not be shown whole, or the second before
 * when that has just been asked for. `undefined` when the list goes no further back.
 */
const earlierHour = (date: string, asked: string, listed: ReadonlyArray<ListedTrade>): string | undefined => {
  let oldest = "999999"
  for (const { hour } of listed) if (hour < oldest) oldest = hour
  if (oldest < asked) return oldest
  const beforeMs = (marketInstant(date, asked) ?? Number.NaN) - overlap_ms
  return oldest > asked || marketDate(beforeMs) !== date ? undefined : marketHour(beforeMs)
}
