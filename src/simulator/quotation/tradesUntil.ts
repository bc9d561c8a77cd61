import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { PastTrade } from "../market/MarketView.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { hourField } from "./fields.ts"
import { boardLabel } from "./indexMembers.ts"
import { changeSign, percent, whole } from "./numbers.ts"
import { rowOf, subjectOf } from "./Subject.ts"
import { listedTrades } from "./tradeList.ts"

/** The quotes a trade met: it took one side of them, or half-way between both. */
const quotesAt = ({ grid, lower, upper }: Issue, { price, side }: PastTrade) => {
  const below = grid.floor(price)
  if (below !== price) return { ask: grid.up(below), bid: below }
  return side === "sell"
    ? { ask: price < upper ? grid.up(price) : 0, bid: price }
    : { ask: price, bid: price > lower ? grid.down(price) : 0 }
}

/** `inquire-time-itemconclusion`: trades at or before an hour, newest first. The row says `stck_prpr`, its table `stck_pbpr`. */
export const tradesUntil: Endpoint = {
  path: `${quotations}inquire-time-itemconclusion`,
  trId: "FHPST01060000",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const { market, query, rules } = asked
    const subject = yield* subjectOf(asked)
    const hour = yield* hourField(query, "FID_INPUT_HOUR_1")
    const output1 = rowOf(asked, subject, (issue, figures) => ({
      stck_prpr: whole(figures.price),
      prdy_vrss: whole(figures.price - issue.basePrice),
      prdy_vrss_sign: changeSign(figures.price, issue.basePrice, issue.upper, issue.lower),
      prdy_ctrt: percent(figures.price - issue.basePrice, issue.basePrice),
      acml_vol: whole(figures.volume),
      prdy_vol: whole(figures.previousVolume),
      rprs_mrkt_kor_name: boardLabel(market, issue)
    }))
    const output2 = listedTrades(market, subject, rules.lostTradeShare, hour).map(({ issue, strength, trade }) => {
      const { ask, bid } = quotesAt(issue, trade)
      return {
        stck_cntg_hour: trade.hour,
        stck_prpr: whole(trade.price),
        prdy_vrss: whole(trade.change),
        prdy_vrss_sign: changeSign(trade.price, issue.basePrice, issue.upper, issue.lower),
        prdy_ctrt: percent(trade.change, issue.basePrice),
        askp: whole(ask),
        bidp: whole(bid),
        tday_rltv: strength,
        acml_vol: whole(trade.cumVolume),
        cnqn: whole(trade.size)
      }
    })
    return { blocks: { output1, output2 } }
  })
}
