import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { DayBar, MarketView } from "../market/MarketView.ts"
import { companyOf } from "./company.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { spanField, oneOf } from "./fields.ts"
import { changeSign, decimal, direction, percent, whole } from "./numbers.ts"
import type { Figures } from "./Figures.ts"
import { periodBars, type Period, todayBar } from "./periodBars.ts"
import { rowOf, subjectOf } from "./Subject.ts"
import { daysOf } from "./venues.ts"

const rowsMax = 100

const headRow = (yesterday: DayBar | undefined, issue: Issue, figures: Figures, loanKey: string) => {
  const { basePrice: base, entry } = issue
  const { price } = figures
  const company = companyOf(entry, base)
  return {
    prdy_vrss: whole(price - base),
    prdy_vrss_sign: changeSign(price, base, issue.upper, issue.lower),
    prdy_ctrt: percent(price - base, base),
    stck_prdy_clpr: whole(base),
    acml_vol: whole(figures.volume),
    acml_tr_pbmn: whole(figures.value),
    hts_kor_isnm: entry.name,
    stck_prpr: whole(price),
    stck_shrn_iscd: entry.code,
    prdy_vol: whole(figures.previousVolume),
    stck_mxpr: whole(issue.upper),
    stck_llam: whole(issue.lower),
    stck_oprc: whole(figures.open),
    stck_hgpr: whole(figures.high),
    stck_lwpr: whole(figures.low),
    stck_prdy_oprc: whole(yesterday?.open ?? 0),
    stck_prdy_hgpr: whole(yesterday?.high ?? 0),
    stck_prdy_lwpr: whole(yesterday?.low ?? 0),
    askp: whole(figures.ask),
    bidp: whole(figures.bid),
    prdy_vrss_vol: whole(figures.volume - figures.previousVolume),
    vol_tnrt: percent(figures.volume, entry.listedShares),
    stck_fcam: whole(company.parValue),
    lstn_stcn: whole(entry.listedShares),
    cpfn: whole(company.capital),
    hts_avls: whole((price * entry.listedShares) / 100_000_000),
    per: decimal(company.earnings === 0 ? 0 : price / company.earnings),
    eps: decimal(company.earnings),
    pbr: decimal(company.bookValue === 0 ? 0 : price / company.bookValue),
    [loanKey]: "0.00"
  }
}

const barRow = (bar: DayBar) => ({
  stck_bsop_date: bar.date,
  stck_clpr: whole(bar.close),
  stck_oprc: whole(bar.open),
  stck_hgpr: whole(bar.high),
  stck_lwpr: whole(bar.low),
  acml_vol: whole(bar.volume),
  acml_tr_pbmn: whole(bar.value),
  flng_cls_code: "00",
  prtt_rate: "0.00",
  mod_yn: bar.volume === 0 ? "Y" : "N",
  prdy_vrss_sign: direction(bar.close - bar.previousClose),
  prdy_vrss: whole(bar.close - bar.previousClose),
  revl_issu_reas: ""
})

/** A hundred months are the most that any asked range can need; years are cut at what the market remembers. */
const daysBack = (period: Period) => (period === "D" ? 2 * rowsMax : period === "W" ? 6 * rowsMax : 22 * rowsMax)

const barsOf = (market: MarketView, issue: Issue, figures: Figures, past: ReadonlyArray<DayBar>) => {
  const today = todayBar(market.date(), issue.basePrice, figures)
  return today === undefined ? past : [today, ...past]
}

/** `inquire-daily-itemchartprice`: days, weeks, months or years between two dates, newest first, a hundred at most. */
export const dailyChart: Endpoint = {
  path: `${quotations}inquire-daily-itemchartprice`,
  trId: "FHKST03010100",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const { market, query, rules } = asked
    const subject = yield* subjectOf(asked)
    const from = yield* spanField(query, "FID_INPUT_DATE_1")
    const to = yield* spanField(query, "FID_INPUT_DATE_2")
    const period = yield* oneOf(query, "FID_PERIOD_DIV_CODE", ["D", "W", "M", "Y"])
    // The market has no splits: adjusted prices and raw ones are the same.
    yield* oneOf(query, "FID_ORG_ADJ_PRC", ["0", "1"])
    const { division, listed } = subject
    const loanKey = rules.isLoanKeyStray ? "itewhol_loan_rmnd_ratem name" : "itewhol_loan_rmnd_ratem"
    const yesterday = listed === undefined ? undefined : daysOf(market, listed.issue, 1, division)[0]
    const output1 = rowOf(
      asked,
      subject,
      (issue, figures) => headRow(yesterday, issue, figures, loanKey),
      "stck_shrn_iscd"
    )
    const bars =
      listed === undefined
        ? []
        : barsOf(market, listed.issue, listed.figures, daysOf(market, listed.issue, daysBack(period), division))
    const output2 = periodBars(bars, period)
      .filter(({ date }) => date >= from && date <= to)
      .slice(0, rowsMax)
      .map(barRow)
    return { blocks: { output1, output2 } }
  })
}
