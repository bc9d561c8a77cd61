import { Effect } from "effect"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { changeSign, percent, whole } from "./numbers.ts"
import { subjectOf } from "./Subject.ts"
import { listedTrades } from "./tradeList.ts"

/** `inquire-ccnl`: the newest trades, without a cumulative volume to check them by. */
export const latestTrades: Endpoint = {
  path: `${quotations}inquire-ccnl`,
  trId: "FHKST01010300",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const subject = yield* subjectOf(asked)
    const output = listedTrades(asked.market, subject, asked.rules.lostTradeShare).map(
      ({ issue, strength, trade }) => ({
        stck_cntg_hour: trade.hour,
        stck_prpr: whole(trade.price),
        prdy_vrss: whole(trade.change),
        prdy_vrss_sign: changeSign(trade.price, issue.basePrice, issue.upper, issue.lower),
        cntg_vol: whole(trade.size),
        tday_rltv: strength,
        prdy_ctrt: percent(trade.change, issue.basePrice)
      })
    )
    return { blocks: { output } }
  })
}
