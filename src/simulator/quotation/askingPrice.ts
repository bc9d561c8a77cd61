import { Effect } from "effect"
import { marketHour } from "../../calendar/MarketTime.ts"
import type { Issue } from "../market/Issue.ts"
import type { Book, BookLevel, MarketView } from "../market/MarketView.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import type { Figures } from "./Figures.ts"
import { changeSign, percent, whole } from "./numbers.ts"
import { auctionOperation, marketOperation } from "./phaseCodes.ts"
import { interrupted } from "./standing.ts"
import { rowOf, subjectOf } from "./Subject.ts"

const levels = Array.from({ length: 10 }, (_, at) => at)

const ladder = (name: string, value: (at: number) => number) =>
  Object.fromEntries(levels.map((at) => [`${name}${at + 1}`, whole(value(at))]))

const priceAt = (side: ReadonlyArray<BookLevel>) => (at: number) => side[at]?.price ?? 0
const sizeAt = (side: ReadonlyArray<BookLevel>) => (at: number) => side[at]?.size ?? 0
/** The market keeps changes of the totals only: the best level bears them, so that the levels add up as captured. */
const changeAt = (change: number) => (at: number) => (at === 0 ? change : 0)

const ladderRow = (market: MarketView, book: Book) => ({
  aspr_acpt_hour: marketHour(market.nowMs()),
  ...ladder("askp", priceAt(book.asks)),
  ...ladder("bidp", priceAt(book.bids)),
  ...ladder("askp_rsqn", sizeAt(book.asks)),
  ...ladder("bidp_rsqn", sizeAt(book.bids)),
  ...ladder("askp_rsqn_icdc", changeAt(book.totalAskChange)),
  ...ladder("bidp_rsqn_icdc", changeAt(book.totalBidChange)),
  total_askp_rsqn: whole(book.totalAskSize),
  total_bidp_rsqn: whole(book.totalBidSize),
  total_askp_rsqn_icdc: whole(book.totalAskChange),
  total_bidp_rsqn_icdc: whole(book.totalBidChange),
  ovtm_total_askp_icdc: "0",
  ovtm_total_bidp_icdc: "0",
  ovtm_total_askp_rsqn: "0",
  ovtm_total_bidp_rsqn: "0",
  ntby_aspr_rsqn: whole(book.totalBidSize - book.totalAskSize),
  new_mkop_cls_code: marketOperation(market)
})

/** Between auctions the expected values are those of the last one: at 15:08 a captured reply still had the opening's. */
const expectedRow = (market: MarketView, issue: Issue, figures: Figures) => {
  const { basePrice: base } = issue
  const match = market.expected(issue) ?? market.lastMatch(issue)
  const change = match === undefined ? 0 : match.price - base
  return {
    antc_mkop_cls_code: auctionOperation(market),
    stck_prpr: whole(figures.price),
    stck_oprc: whole(figures.open),
    stck_hgpr: whole(figures.high),
    stck_lwpr: whole(figures.low),
    stck_sdpr: whole(base),
    antc_cnpr: whole(match?.price ?? 0),
    antc_cntg_vrss_sign: match === undefined ? "3" : changeSign(match.price, base, issue.upper, issue.lower),
    antc_cntg_vrss: whole(change),
    antc_cntg_prdy_ctrt: percent(change, base),
    antc_vol: whole(match?.volume ?? 0),
    stck_shrn_iscd: issue.entry.code,
    vi_cls_code: interrupted(market, issue)
  }
}

export const askingPrice: Endpoint = {
  path: `${quotations}inquire-asking-price-exp-ccn`,
  trId: "FHKST01010200",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const { market } = asked
    const subject = yield* subjectOf(asked)
    // What UN shows of two books is not known [U]: the exchange's own.
    const venue = subject.division === "NX" ? "NXT" : "KRX"
    const output1 = rowOf(asked, subject, (issue) => ladderRow(market, market.book(issue, venue)))
    const output2 = rowOf(asked, subject, (issue, figures) => expectedRow(market, issue, figures), "stck_shrn_iscd")
    return { blocks: { output1, output2 } }
  })
}
