import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { companyOf } from "./company.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import type { Figures } from "./Figures.ts"
import { boardLabel } from "./indexMembers.ts"
import { changeSign, direction, percent, since, whole } from "./numbers.ts"
import { flagged, halted, interrupted, warningOf } from "./standing.ts"
import { rowOf, subjectOf } from "./Subject.ts"

const blanks = (count: number) => " ".repeat(count)

/** The portal's fields in their order and with their blanks, then those that only the field list has. */
const secondRow = (market: MarketView, issue: Issue, figures: Figures) => {
  const { basePrice: base } = issue
  const { high, low, open, price } = figures
  const warning = warningOf(issue)
  return {
    rprs_mrkt_kor_name: boardLabel(market, issue),
    insn_pbnt_yn: "N",
    stck_prpr: whole(price),
    prdy_vrss: whole(price - base),
    prdy_vrss_sign: changeSign(price, base, issue.upper, issue.lower),
    prdy_ctrt: percent(price - base, base),
    acml_tr_pbmn: whole(figures.value),
    acml_vol: whole(figures.volume),
    prdy_vol: whole(figures.previousVolume),
    prdy_vrss_vol_rate: percent(figures.volume, figures.previousVolume),
    bstp_kor_isnm: companyOf(issue.entry, base).industry,
    sltr_yn: flagged(issue, "L"),
    mang_issu_yn: flagged(issue, "A"),
    trht_yn: halted(issue),
    oprc_rang_cont_yn: "N",
    vlnt_fin_cls_code: "N",
    stck_prdy_clpr: whole(base),
    stck_oprc: whole(open),
    prdy_clpr_vrss_oprc_rate: percent(since(open, base), base),
    oprc_vrss_prpr_sign: direction(since(price, open)),
    oprc_vrss_prpr: whole(since(price, open)),
    stck_hgpr: whole(high),
    prdy_clpr_vrss_hgpr_rate: percent(since(high, base), base),
    hgpr_vrss_prpr_sign: direction(since(price, high)),
    hgpr_vrss_prpr: whole(since(price, high)),
    stck_lwpr: whole(low),
    prdy_clpr_vrss_lwpr_rate: percent(since(low, base), base),
    lwpr_vrss_prpr_sign: direction(since(price, low)),
    lwpr_vrss_prpr: whole(since(price, low)),
    marg_rate: "20.00",
    crdt_rate: "20.00",
    crdt_able_yn: issue.still ? "N" : "Y",
    elw_pblc_yn: "N",
    stck_mxpr: whole(issue.upper),
    stck_llam: whole(issue.lower),
    // The portal's reply has the issue's own code here, against its field list.
    bstp_cls_code: issue.entry.code,
    stck_sdpr: whole(base),
    vlnt_deal_cls_name: blanks(1),
    new_lstn_cls_name: blanks(8),
    divi_app_cls_code: blanks(2),
    short_over_cls_code: blanks(10),
    vi_cls_code: interrupted(market, issue),
    low_current_yn: "N",
    ssts_hot_yn: blanks(1),
    stange_runup_yn: "N",
    invt_caful_yn: flagged(issue, "C"),
    mrkt_warn_cls_code: warning,
    short_over_yn: flagged(issue, "O"),
    new_hgpr_lwpr_cls_code: "",
    mxpr_llam_cls_code: "",
    flng_cls_name: flagged(issue, "X") === "Y" ? "권리락" : "",
    revl_issu_reas_name: "",
    mrkt_warn_cls_name: warning === "02" ? "투자경고" : warning === "01" ? "투자주의" : "",
    fcam_mod_cls_name: ""
  }
}

export const inquirePrice2: Endpoint = {
  path: `${quotations}inquire-price-2`,
  trId: "FHPST01010000",
  inMock: false,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const subject = yield* subjectOf(asked)
    const output = rowOf(asked, subject, (issue, figures) => secondRow(asked.market, issue, figures), "bstp_cls_code")
    return { blocks: { output } }
  })
}
