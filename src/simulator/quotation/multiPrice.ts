import { Effect } from "effect"
import type { Floor } from "../market/Floor.ts"
import type { IndexLevel } from "../market/Indices.ts"
import type { Issue } from "../market/Issue.ts"
import { refusal } from "../Refusal.ts"
import { type Endpoint, isStockDivision, type Query } from "./Endpoint.ts"
import { changeSign, decimal, direction, percent, whole } from "./numbers.ts"

const pairsMax = 30

const stockRow = (issue: Issue) => {
  const market = issue.entry.market === "KOSDAQ" ? "코스닥" : "거래소"
  const change = issue.price - issue.basePrice
  return {
    kospi_kosdaq_cls_name: market,
    mrkt_trtm_cls_name: market,
    hour_cls_code: "0",
    inter_shrn_iscd: issue.entry.code,
    inter_kor_isnm: issue.entry.name,
    inter2_prpr: whole(issue.price),
    inter2_prdy_vrss: whole(change),
    prdy_vrss_sign: changeSign(issue.price, issue.basePrice, issue.upper, issue.lower),
    prdy_ctrt: percent(change, issue.basePrice),
    acml_vol: whole(issue.volume),
    inter2_oprc: whole(issue.open),
    inter2_hgpr: whole(issue.high),
    inter2_lwpr: whole(issue.low),
    inter2_llam: whole(issue.lower),
    inter2_mxpr: whole(issue.upper),
    inter2_askp: whole(issue.ask),
    inter2_bidp: whole(issue.bid),
    seln_rsqn: whole(issue.askSize),
    shnu_rsqn: whole(issue.bidSize),
    total_askp_rsqn: whole(issue.totalAskSize),
    total_bidp_rsqn: whole(issue.totalBidSize),
    acml_tr_pbmn: whole(issue.value),
    inter2_prdy_clpr: whole(issue.basePrice),
    oprc_vrss_hgpr_rate: percent(issue.high - issue.open, issue.open),
    intr_antc_cntg_vrss: "0",
    intr_antc_cntg_vrss_sign: "3",
    intr_antc_cntg_prdy_ctrt: "0.00",
    intr_antc_vol: "0",
    inter2_sdpr: whole(issue.basePrice)
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
const rowOf = (division: string, code: string, floor: Floor): ReadonlyArray<object> => {
  if (division === "U") {
    const index = floor.index(code)
    return index === undefined ? [] : [indexRow(index)]
  }
  const issue = isStockDivision(division) ? floor.issue(code) : undefined
  return issue === undefined || (division === "NX" && !issue.entry.nxt) ? [] : [stockRow(issue)]
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
  path: "/uapi/domestic-stock/v1/quotations/intstock-multprice",
  trId: "FHKST11300006",
  inMock: false,
  answer: (query, floor) => {
    const pairs = pairsOf(query)
    return pairs.length === 0
      ? Effect.fail(refusal("OPSQ2001", "FID_INPUT_ISCD_1"))
      : Effect.succeed({ output: pairs.flatMap(([division, code]) => rowOf(division, code, floor)) })
  }
}
