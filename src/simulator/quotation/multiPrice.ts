import { Effect } from "effect"
import type { IndexLevel } from "../market/Indices.ts"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { refusal } from "../Refusal.ts"
import { type Endpoint, type Query, quotations } from "./Endpoint.ts"
import { divisions, type Figures, figuresOf } from "./Figures.ts"
import { changeSign, decimal, direction, percent, since, whole } from "./numbers.ts"
import { hourClass } from "./phaseCodes.ts"

const pairsMax = 30

const boardNames: Readonly<Record<string, string>> = { KOSDAQ: "코스닥", KONEX: "코넥스" }

const stockRow = (market: MarketView, issue: Issue, figures: Figures) => {
  const board = boardNames[issue.entry.market] ?? "거래소"
  const { basePrice: base } = issue
  const change = figures.price - base
  const expected = market.expected(issue)
  const expectedChange = expected === undefined ? 0 : since(expected.price, base)
  return {
    kospi_kosdaq_cls_name: board,
    mrkt_trtm_cls_name: board,
    hour_cls_code: hourClass(market, issue),
    inter_shrn_iscd: issue.entry.code,
    inter_kor_isnm: issue.entry.name,
    inter2_prpr: whole(figures.price),
    inter2_prdy_vrss: whole(change),
    prdy_vrss_sign: changeSign(figures.price, base, issue.upper, issue.lower),
    prdy_ctrt: percent(change, base),
    acml_vol: whole(figures.volume),
    inter2_oprc: whole(figures.open),
    inter2_hgpr: whole(figures.high),
    inter2_lwpr: whole(figures.low),
    inter2_llam: whole(issue.lower),
    inter2_mxpr: whole(issue.upper),
    inter2_askp: whole(figures.ask),
    inter2_bidp: whole(figures.bid),
    seln_rsqn: whole(figures.askSize),
    shnu_rsqn: whole(figures.bidSize),
    total_askp_rsqn: whole(figures.totalAskSize),
    total_bidp_rsqn: whole(figures.totalBidSize),
    acml_tr_pbmn: whole(figures.value),
    inter2_prdy_clpr: whole(base),
    oprc_vrss_hgpr_rate: percent(since(figures.high, figures.open), figures.open),
    intr_antc_cntg_vrss: whole(expectedChange),
    intr_antc_cntg_vrss_sign: expected === undefined ? "3" : changeSign(expected.price, base, issue.upper, issue.lower),
    intr_antc_cntg_prdy_ctrt: percent(expectedChange, base),
    intr_antc_vol: whole(expected?.volume ?? 0),
    inter2_sdpr: whole(base)
  }
}

/** An index has no limits and no book: blanks, as in the portal's example, which is cut after `inter2_bidp`; the rest is [U]. */
const indexRow = (index: IndexLevel) => {
  const change = index.level - index.previous
  return {
    kospi_kosdaq_cls_name: "업종",
    mrkt_trtm_cls_name: "",
    hour_cls_code: "2",
    inter_shrn_iscd: index.code,
    inter_kor_isnm: index.name,
    inter2_prpr: decimal(index.level),
    inter2_prdy_vrss: decimal(change),
    prdy_vrss_sign: direction(Math.round(change * 100)),
    prdy_ctrt: percent(change, index.previous),
    acml_vol: whole(index.volume),
    inter2_oprc: decimal(index.open),
    inter2_hgpr: decimal(index.high),
    inter2_lwpr: decimal(index.low),
    inter2_llam: "",
    inter2_mxpr: "",
    inter2_askp: "",
    inter2_bidp: "",
    seln_rsqn: "",
    shnu_rsqn: "",
    total_askp_rsqn: "",
    total_bidp_rsqn: "",
    acml_tr_pbmn: whole(index.value),
    inter2_prdy_clpr: decimal(index.previous),
    oprc_vrss_hgpr_rate: percent(index.high - index.open, index.open),
    intr_antc_cntg_vrss: "",
    intr_antc_cntg_vrss_sign: "",
    intr_antc_cntg_prdy_ctrt: "",
    intr_antc_vol: "",
    inter2_sdpr: ""
  }
}

/** An unknown code, a wrong division, or Nextrade asked for what it does not list: no row, and nothing said about it. */
const rowsOf = (given: string, code: string, market: MarketView): ReadonlyArray<object> => {
  if (given === "U") {
    const index = market.index(code)
    return index === undefined ? [] : [indexRow(index)]
  }
  const division = divisions.find((known) => known === given)
  const issue = division === undefined ? undefined : market.issue(code)
  const figures = issue === undefined || division === undefined ? undefined : figuresOf(market, issue, division)
  return issue === undefined || figures === undefined ? [] : [stockRow(market, issue, figures)]
}

/** The numbered pairs of a query, in the order of their numbers; what lies beyond the thirtieth is dropped. */
const pairsOf = (query: Query): ReadonlyArray<readonly [division: string, code: string]> =>
  [...query.keys()]
    .flatMap((key) => /^FID_INPUT_ISCD_([1-9]\d?)$/.exec(key)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .map((n) => [query.get(`FID_COND_MRKT_DIV_CODE_${n}`) ?? "", query.get(`FID_INPUT_ISCD_${n}`) ?? ""] as const)
    .filter(([, code]) => code !== "")
    .slice(0, pairsMax)

export const multiPrice: Endpoint = {
  path: `${quotations}intstock-multprice`,
  trId: "FHKST11300006",
  inMock: false,
  ledger: false,
  answer: ({ market, query }) => {
    const pairs = pairsOf(query)
    return pairs.length === 0
      ? Effect.fail(refusal("OPSQ2001", "INPUT FIELD NOT FOUND [FID_INPUT_ISCD_1]"))
      : Effect.succeed({ blocks: { output: pairs.flatMap(([division, code]) => rowsOf(division, code, market)) } })
  }
}
