import { Effect } from "effect"
import { marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { companyOf } from "./company.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { oneOf, wanted } from "./fields.ts"
import { membersOf } from "./indexMembers.ts"
import { found, nothingFound } from "./messages.ts"
import { whole } from "./numbers.ts"
import { flagged, halted } from "./standing.ts"

const groups: Readonly<Record<string, string>> = {
  etf: "EF",
  etn: "EN",
  bene: "BC",
  reit: "RT",
  foreign: "FS",
  dr: "DR",
  right: "SR",
  warrant: "SW",
  pubfund: "PF",
  infra: "IF",
  mutual: "MF"
}
const marketIds: Readonly<Record<string, string>> = { KOSDAQ: "KSQ", KONEX: "KNX" }
const exchanges: Readonly<Record<string, string>> = { KOSDAQ: "03", KONEX: "04" }

/** `00000A000660`: a share's code after an A, filled with zeros; others fill up what they have. */
const productNumber = (code: string) => (code.length === 6 ? `A${code}` : code).padStart(12, "0")

const infoRow = (market: MarketView, issue: Issue) => {
  const { basePrice: base, entry } = issue
  const company = companyOf(entry, base)
  const isKospi = entry.market === "KOSPI"
  const isFund = entry.kind === "etf" || entry.kind === "etn"
  const substitute = whole(issue.grid.floor(base * 0.79))
  const before = marketDate(marketMidnight(market.date()) - 86_400_000)
  return {
    pdno: productNumber(entry.code),
    prdt_type_cd: "300",
    mket_id_cd: marketIds[entry.market] ?? "STK",
    scty_grp_id_cd: groups[entry.kind] ?? "ST",
    excg_dvsn_cd: exchanges[entry.market] ?? "02",
    setl_mmdd: "12",
    lstg_stqt: whole(entry.listedShares),
    lstg_cptl_amt: "0",
    cpta: whole(entry.listedShares * company.parValue),
    papr: whole(company.parValue),
    issu_pric: whole(company.parValue),
    kospi200_item_yn: membersOf(market, "2001").has(issue) ? "Y" : "N",
    scts_mket_lstg_dt: isKospi ? company.listedOn : "",
    scts_mket_lstg_abol_dt: "",
    kosdaq_mket_lstg_dt: isKospi ? "" : company.listedOn,
    kosdaq_mket_lstg_abol_dt: "",
    frbd_mket_lstg_dt: company.listedOn,
    frbd_mket_lstg_abol_dt: "",
    reits_kind_cd: "",
    etf_dvsn_cd: entry.kind === "etf" ? "1" : "0",
    oilf_fund_yn: "N",
    idx_bztp_lcls_cd: "002",
    idx_bztp_mcls_cd: "013",
    idx_bztp_scls_cd: "013",
    stck_kind_cd: isFund ? "000" : entry.kind === "pref" ? "201" : "101",
    mfnd_opng_dt: "",
    mfnd_end_dt: "",
    dpsi_erlm_cncl_dt: "",
    etf_cu_qty: isFund ? "50000" : "0",
    prdt_name: entry.name,
    prdt_name120: entry.name,
    prdt_abrv_name: entry.name,
    std_pdno: entry.isin,
    // The universe has no English names.
    prdt_eng_name: `KRX ${entry.code}`,
    prdt_eng_name120: `KRX ${entry.code}`,
    prdt_eng_abrv_name: `KRX ${entry.code}`,
    dpsi_aptm_erlm_yn: "Y",
    etf_txtn_type_cd: "00",
    etf_type_cd: "",
    lstg_abol_dt: "",
    nwst_odst_dvsn_cd: "1",
    sbst_pric: substitute,
    thco_sbst_pric: substitute,
    thco_sbst_pric_chng_dt: before,
    tr_stop_yn: halted(issue),
    admn_item_yn: flagged(issue, "A"),
    thdt_clpr: whole(issue.close === 0 ? issue.price : issue.close),
    bfdy_clpr: whole(base),
    clpr_chng_dt: market.date(),
    std_idst_clsf_cd: "032601",
    std_idst_clsf_cd_name: company.industry,
    idx_bztp_lcls_cd_name: "시가총액규모대",
    idx_bztp_mcls_cd_name: company.industry,
    idx_bztp_scls_cd_name: company.industry,
    ocr_no: "1147",
    crfd_item_yn: "N",
    elec_scty_yn: "Y",
    // Not in the portal's reply, which is older than Nextrade.
    issu_istt_cd: "",
    etf_chas_erng_rt_dbnb: isFund ? "1.00" : "",
    etf_etn_ivst_heed_item_yn: "N",
    stln_int_rt_dvsn_cd: "",
    frnr_psnl_lmt_rt: "0.00",
    lstg_rqsr_issu_istt_cd: "",
    lstg_rqsr_item_cd: "",
    trst_istt_issu_istt_cd: "",
    cptt_trad_tr_psbl_yn: entry.nxt ? "Y" : "N",
    nxt_tr_stop_yn: entry.nxt ? halted(issue) : "N"
  }
}

/** `search-stock-info`: the only call that says whether Nextrade lists an issue. */
export const stockInfo: Endpoint = {
  path: `${quotations}search-stock-info`,
  trId: "CTPF1002R",
  inMock: false,
  ledger: true,
  answer: Effect.fnUntraced(function* ({ market, query }) {
    yield* oneOf(query, "PRDT_TYPE_CD", ["300"])
    const issue = market.issue(yield* wanted(query, "PDNO"))
    return issue === undefined
      ? { blocks: { output: {} }, message: nothingFound }
      : { blocks: { output: infoRow(market, issue) }, message: found }
  })
}
