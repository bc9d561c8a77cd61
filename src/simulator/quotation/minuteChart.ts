import { Effect } from "effect"
import { marketHour } from "../../calendar/MarketTime.ts"
import { type Asked, type Endpoint, quotations } from "./Endpoint.ts"
import { hourField } from "./fields.ts"
import { emptySeries, type LabelledBar, minuteSeries } from "./minuteSeries.ts"
import { changeSign, percent, whole } from "./numbers.ts"
import { rowOf, type Subject, subjectOf } from "./Subject.ts"
import { minutesOf } from "./venues.ts"

const seriesOf = ({ market }: Asked, { code, division, listed }: Subject, hour: string): ReadonlyArray<LabelledBar> => {
  // An issue that Nextrade does not list: seen for UN, and NX is taken to do alike [U].
  const isOffNxt = division !== "J" && market.issue(code)?.nxt === undefined && market.issue(code) !== undefined
  if (isOffNxt) return emptySeries(hour)
  return listed === undefined
    ? []
    : minuteSeries(minutesOf(market, listed.issue, division), hour, marketHour(market.nowMs()))
}

/** `inquire-time-itemchartprice`: minutes of today. Yesterday's are never added, whatever `FID_PW_DATA_INCU_YN` says [U]. */
export const minuteChart: Endpoint = {
  path: `${quotations}inquire-time-itemchartprice`,
  trId: "FHKST03010200",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const subject = yield* subjectOf(asked)
    const hour = yield* hourField(asked.query, "FID_INPUT_HOUR_1")
    const output1 = rowOf(asked, subject, (issue, figures) => ({
      prdy_vrss: whole(figures.price - issue.basePrice),
      prdy_vrss_sign: changeSign(figures.price, issue.basePrice, issue.upper, issue.lower),
      prdy_ctrt: percent(figures.price - issue.basePrice, issue.basePrice),
      stck_prdy_clpr: whole(issue.basePrice),
      acml_vol: whole(figures.volume),
      acml_tr_pbmn: whole(figures.value),
      hts_kor_isnm: issue.entry.name,
      stck_prpr: whole(figures.price)
    }))
    const date = asked.market.date()
    const output2 = seriesOf(asked, subject, hour).map((bar) => ({
      stck_bsop_date: date,
      stck_cntg_hour: bar.hour,
      stck_prpr: whole(bar.close),
      stck_oprc: whole(bar.open),
      stck_hgpr: whole(bar.high),
      stck_lwpr: whole(bar.low),
      cntg_vol: whole(bar.volume),
      acml_tr_pbmn: whole(bar.cumValue)
    }))
    return { blocks: { output1, output2 } }
  })
}
