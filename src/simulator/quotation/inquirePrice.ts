import { Effect } from "effect"
import type { Floor } from "../market/Floor.ts"
import type { Issue } from "../market/Issue.ts"
import { refusal } from "../Refusal.ts"
import { type Endpoint, isStockDivision } from "./Endpoint.ts"
import { companyOf, yearOf } from "./company.ts"
import { changeSign, decimal, percent, whole } from "./numbers.ts"

const flagged = (issue: Issue, flag: string) => (issue.entry.flags.includes(flag) ? "Y" : "N")

const statusOf = (issue: Issue): string => {
  const { flags } = issue.entry
  if (flags.includes("H")) return "58"
  if (flags.includes("A")) return "51"
  if (flags.includes("W")) return "53"
  if (flags.includes("C")) return "54"
  return flags.includes("O") ? "59" : "55"
}

const warningOf = ({ entry }: Issue): string =>
  entry.flags.includes("W") ? "02" : entry.flags.includes("C") ? "01" : "00"

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
const priceRow = (issue: Issue, date: string) => {
  const { basePrice: base, entry, price } = issue
  const company = companyOf(entry, base)
  const year = yearOf(issue, date)
  const { pvt_scnd_dmrs_prc, ...pivotRest } = pivots(base)
  return {
    iscd_stat_cls_code: statusOf(issue),
    marg_rate: "40.00",
    rprs_mrkt_kor_name: entry.market,
    new_hgpr_lwpr_cls_code: "",
    bstp_kor_isnm: company.industry,
    temp_stop_yn: flagged(issue, "H"),
    oprc_rang_cont_yn: "N",
    clpr_rang_cont_yn: "N",
    crdt_able_yn: issue.still ? "N" : "Y",
    grmn_rate_cls_code: "40",
    elw_pblc_yn: "N",
    stck_prpr: whole(price),
    prdy_vrss: whole(price - base),
    prdy_vrss_sign: changeSign(price, base, issue.upper, issue.lower),
    prdy_ctrt: percent(price - base, base),
    acml_tr_pbmn: whole(issue.value),
    acml_vol: whole(issue.volume),
    prdy_vrss_vol_rate: percent(issue.volume, issue.previousVolume),
    stck_oprc: whole(issue.open),
    stck_hgpr: whole(issue.high),
    stck_lwpr: whole(issue.low),
    stck_mxpr: whole(issue.upper),
    stck_llam: whole(issue.lower),
    stck_sdpr: whole(base),
    wghn_avrg_stck_prc: decimal(issue.volume === 0 ? 0 : issue.value / issue.volume),
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
    vol_tnrt: percent(issue.volume, entry.listedShares),
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
    vi_cls_code: "N",
    ovtm_vi_cls_code: "N",
    last_ssts_cntg_qty: "0",
    invt_caful_yn: flagged(issue, "C"),
    mrkt_warn_cls_code: warningOf(issue),
    short_over_yn: flagged(issue, "O"),
    sltr_yn: flagged(issue, "L"),
    mang_issu_cls_code: flagged(issue, "A")
  }
}

/** For a code that is not listed the broker's reply is not known [U]: a good reply whose values are zero and blank. */
const emptyRow = (template: Issue, code: string, date: string) =>
  Object.fromEntries(
    Object.entries(priceRow(template, date)).map(([key, value]) => [
      key,
      key === "stck_shrn_iscd" ? code : /^-?\d+$/.test(value) ? "0" : /^-?\d+\.\d\d$/.test(value) ? "0.00" : ""
    ])
  )

const rowOf = (division: string, code: string, floor: Floor) => {
  const issue = floor.issue(code)
  if (issue !== undefined && (division !== "NX" || issue.entry.nxt)) return priceRow(issue, floor.date())
  const [template] = floor.issues
  return template === undefined ? {} : emptyRow(template, code, floor.date())
}

export const inquirePrice: Endpoint = {
  path: "/uapi/domestic-stock/v1/quotations/inquire-price",
  trId: "FHKST01010100",
  inMock: true,
  answer: (query, floor) => {
    const division = query.get("FID_COND_MRKT_DIV_CODE") ?? ""
    const code = query.get("FID_INPUT_ISCD") ?? ""
    if (!isStockDivision(division)) return Effect.fail(refusal("OPSQ2001", "FID_COND_MRKT_DIV_CODE"))
    if (code === "") return Effect.fail(refusal("OPSQ2001", "FID_INPUT_ISCD"))
    return Effect.succeed({ output: rowOf(division, code, floor) })
  }
}
