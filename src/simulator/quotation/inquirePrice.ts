import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { companyOf, yearOf } from "./company.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import type { Figures } from "./Figures.ts"
import { boardLabel } from "./indexMembers.ts"
import { changeSign, decimal, percent, whole } from "./numbers.ts"
import { flagged, halted, interrupted, statusOf, warningOf } from "./standing.ts"
import { rowOf, subjectOf } from "./Subject.ts"

/** Pivots of yesterday, which the simulator did not see: taken as a day of ±2 % around the base price. */
const pivots = (base: number) => {
  const high = base * 1.02,
    low = base * 0.98
  const pivot = (high + low + base) / 3
  return {
    pvt_scnd_dmrs_prc: whole(pivot + high - low),
    pvt_frst_dmrs_prc: whole(2 * pivot - low),
    pvt_pont_val: whole(pivot),
    pvt_frst_dmsp_prc: whole(2 * pivot - high),
    pvt_scnd_dmsp_prc: whole(pivot - high + low),
    dmrs_val: whole((pivot + high) / 2),
    dmsp_val: whole((pivot + low) / 2)
  }
}

/** The row of one issue: the captured fields in their order, with the three that newer field lists add. */
const priceRow = (market: MarketView, issue: Issue, figures: Figures) => {
  const { basePrice: base, entry } = issue
  const { price } = figures
  const company = companyOf(entry, base)
  const year = yearOf(issue, market.date())
  const { pvt_scnd_dmrs_prc, ...pivotRest } = pivots(base)
  return {
    iscd_stat_cls_code: statusOf(issue),
    marg_rate: "40.00",
    rprs_mrkt_kor_name: boardLabel(market, issue),
    new_hgpr_lwpr_cls_code: "",
    bstp_kor_isnm: company.industry,
    temp_stop_yn: halted(issue),
    oprc_rang_cont_yn: "N",
    clpr_rang_cont_yn: "N",
    crdt_able_yn: issue.still ? "N" : "Y",
    grmn_rate_cls_code: "40",
    elw_pblc_yn: "N",
    stck_prpr: whole(price),
    prdy_vrss: whole(price - base),
    prdy_vrss_sign: changeSign(price, base, issue.upper, issue.lower),
    prdy_ctrt: percent(price - base, base),
    acml_tr_pbmn: whole(figures.value),
    acml_vol: whole(figures.volume),
    prdy_vrss_vol_rate: percent(figures.volume, figures.previousVolume),
    stck_oprc: whole(figures.open),
    stck_hgpr: whole(figures.high),
    stck_lwpr: whole(figures.low),
    stck_mxpr: whole(issue.upper),
    stck_llam: whole(issue.lower),
    stck_sdpr: whole(base),
    wghn_avrg_stck_prc: decimal(figures.volume === 0 ? 0 : figures.value / figures.volume),
    hts_frgn_ehrt: "0.00",
    frgn_ntby_qty: "0",
    pgtr_ntby_qty: "0",
    pvt_scnd_dmrs_prc,
    ...pivotRest,
    cpfn: whole(company.capital),
    rstc_wdth_prc: whole(issue.upper - base),
    stck_fcam: whole(company.parValue),
    stck_sspr: whole(base * 0.76),
    aspr_unit: whole(price === 0 ? 0 : issue.grid.tick(price)),
    hts_deal_qty_unit_val: "1",
    lstn_stcn: whole(entry.listedShares),
    hts_avls: whole((price * entry.listedShares) / 100_000_000),
    per: decimal(company.earnings === 0 ? 0 : price / company.earnings),
    pbr: decimal(company.bookValue === 0 ? 0 : price / company.bookValue),
    stac_month: "12",
    vol_tnrt: percent(figures.volume, entry.listedShares),
    eps: decimal(company.earnings),
    bps: decimal(company.bookValue),
    d250_hgpr: whole(year.high),
    d250_hgpr_date: year.highDate,
    d250_hgpr_vrss_prpr_rate: percent(price - year.high, year.high),
    d250_lwpr: whole(year.low),
    d250_lwpr_date: year.lowDate,
    d250_lwpr_vrss_prpr_rate: percent(price - year.low, year.low),
    stck_dryy_hgpr: whole(year.high),
    dryy_hgpr_vrss_prpr_rate: percent(price - year.high, year.high),
    dryy_hgpr_date: year.highDate,
    stck_dryy_lwpr: whole(year.low),
    dryy_lwpr_vrss_prpr_rate: percent(price - year.low, year.low),
    dryy_lwpr_date: year.lowDate,
    w52_hgpr: whole(year.high),
    w52_hgpr_vrss_prpr_ctrt: percent(price - year.high, year.high),
    w52_hgpr_date: year.highDate,
    w52_lwpr: whole(year.low),
    w52_lwpr_vrss_prpr_ctrt: percent(price - year.low, year.low),
    w52_lwpr_date: year.lowDate,
    whol_loan_rmnd_rate: "0.00",
    ssts_yn: issue.still ? "N" : "Y",
    stck_shrn_iscd: entry.code,
    fcam_cnnm: company.parValue.toLocaleString("en-US"),
    cpfn_cnnm: `${company.capital.toLocaleString("en-US")} 억`,
    apprch_rate: "",
    frgn_hldn_qty: "0",
    vi_cls_code: interrupted(market, issue),
    ovtm_vi_cls_code: "N",
    last_ssts_cntg_qty: "0",
    invt_caful_yn: flagged(issue, "C"),
    mrkt_warn_cls_code: warningOf(issue),
    short_over_yn: flagged(issue, "O"),
    sltr_yn: flagged(issue, "L"),
    mang_issu_cls_code: flagged(issue, "A")
  }
}

export const inquirePrice: Endpoint = {
  path: `${quotations}inquire-price`,
  trId: "FHKST01010100",
  inMock: true,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const subject = yield* subjectOf(asked)
    const output = rowOf(asked, subject, (issue, figures) => priceRow(asked.market, issue, figures), "stck_shrn_iscd")
    return { blocks: { output } }
  })
}
