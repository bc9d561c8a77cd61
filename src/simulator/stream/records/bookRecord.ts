import { marketHour } from "../../../calendar/MarketTime.ts"
import type { Issue } from "../../market/Issue.ts"
import type { Book, BookLevel, MarketView } from "../../market/MarketView.ts"
import { changeSign, percent } from "../../quotation/numbers.ts"
import { afterMarketSince, marketClass } from "../codes.ts"
import type { StreamKind, World } from "../StreamKind.ts"

const depth = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const

/** Ten values; levels beyond the book are 0. */
const ladder = (levels: ReadonlyArray<BookLevel>, of: "price" | "size"): string =>
  depth.map((at) => levels[at]?.[of] ?? 0).join("^")

/**
 * Outside auctions the expected price is 0 and what follows from it is computed from that 0: minus the base price, five
 * for down, a hundred per cent; only the volume is still the opening auction's.
 */
const expectedColumns = (view: MarketView, issue: Issue): string => {
  const match = view.expected(issue)
  const { basePrice } = issue
  if (match === undefined) return `0^0^${view.opening(issue)?.volume ?? 0}^${-basePrice}^5^-100.00`
  const { price, volume } = match
  const sign = changeSign(price, basePrice, issue.upper, issue.lower)
  return `${price}^${volume}^${volume}^${price - basePrice}^${sign}^${percent(price - basePrice, basePrice)}`
}

/** The 59 columns that every book stream begins with; `volume` says which trade the book follows. */
export const bookColumns = (view: MarketView, issue: Issue, book: Book, volume: number): string =>
  `${issue.entry.code}^${marketHour(view.nowMs())}^${view.expected(issue)?.hourClass ?? "0"}` +
  `^${ladder(book.asks, "price")}^${ladder(book.bids, "price")}` +
  `^${ladder(book.asks, "size")}^${ladder(book.bids, "size")}` +
  `^${book.totalAskSize}^${book.totalBidSize}^0^0^${expectedColumns(view, issue)}` +
  `^${volume}^${book.totalAskChange}^${book.totalBidChange}^0^0^0`

/** Resting midpoint orders: price, size, side. */
export const midpointColumns = ({ midpoint }: Book): string => `^${midpoint.price}^${midpoint.size}^${midpoint.side}`

/** KRX took midpoint orders from the day Nextrade opened; the first captured book with them is of July 2025 [U]. */
const midpointSince = "20250304"

/** `H0STASP0`: 63 columns, 62 before 2026-09-14, 59 before midpoint orders. */
export const krxBooks = ({ view }: World): StreamKind => ({
  trId: "H0STASP0",
  keys: "issue",
  offeredBy: "both",
  onBook: (issue) => {
    const book = view.book(issue)
    const midpoint = view.date() >= midpointSince ? midpointColumns(book) : ""
    const market = view.date() >= afterMarketSince ? `^${marketClass(view.phase())}` : ""
    return { text: bookColumns(view, issue, book, issue.volume) + midpoint + market, cumVolume: issue.volume }
  }
})
