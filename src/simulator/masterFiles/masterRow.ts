import type { Issue } from "../market/Issue.ts"
import { characterOf, companyOf } from "../quotation/company.ts"
import { digits } from "./cp949.ts"

/** The group code of a kind, and its class among exchange traded products. */
const groups: Readonly<Record<string, readonly [group: string, product: string]>> = {
  etf: ["EF", "2"],
  etn: ["EN", "3"],
  bene: ["BC", ""],
  reit: ["RT", ""],
  foreign: ["FS", ""],
  dr: ["DR", ""],
  right: ["SR", ""],
  warrant: ["SW", ""],
  pubfund: ["PF", "5"],
  infra: ["IF", ""],
  mutual: ["MF", ""]
}

const notTradedAfterHours = new Set(["BC", "SR", "SW"])
const withoutFiscalMonth = new Set(["BC", "EN", "RT", "SR", "SW", "IF", "MF"])

const yes = (is: boolean) => (is ? "Y" : "N")

/** What a file is made for: one board at the exchange, or its share that Nextrade lists too. */
export interface MasterOf {
  readonly venue: "KRX" | "NXT"
  readonly date: string
  /** The place of an issue by its capitalisation among the shares of its board, from 0; absent for all else. */
  rankOf(issue: Issue): number | undefined
}

/** Capital, earnings and dates, made up where the universe is silent; the widths are those of the columns. */
const accountsOf = (issue: Issue, isShare: boolean, date: string) => {
  const hasAccounts = (isShare && issue.entry.kind !== "pref") || issue.entry.kind === "reit"
  const { basePrice, entry } = issue
  const company = companyOf(entry, basePrice)
  const worth = (basePrice * entry.listedShares) / 100_000_000
  const income = hasAccounts ? (company.earnings * entry.listedShares) / 100_000_000 : 0
  const returns = company.bookValue === 0 ? 0 : (company.earnings / company.bookValue) * 100
  return {
    stck_fcam: digits(company.parValue, 12),
    stck_lstn_date: company.listedOn,
    lstn_stcn: digits(entry.listedShares / 1_000, 15),
    cpfn: digits(isShare ? entry.listedShares * company.parValue : 0, 21),
    sale_account: digits(income * 12, 9),
    bsop_prfi: digits(income * 1.3, 9),
    op_prfi: digits(income * 1.2, 9),
    thtr_ntin: digits(income, 5),
    // Decimals on the KOSPI, whole numbers elsewhere.
    roe:
      entry.market === "KOSPI"
        ? (hasAccounts ? returns : 0).toFixed(2).padStart(9, "0")
        : digits(hasAccounts ? returns : 0, 9),
    base_date: hasAccounts ? `${Number(date.slice(0, 4)) - 1}1231` : "",
    prdy_avls_scal: digits(worth, 9)
  }
}

/** The share of a group's issues, old listings mostly, that the sector indices have looked at: N there, blank elsewhere. */
const sectorsCount: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  KOSPI: { ST: 0.85, EF: 0.16, FS: 1, MF: 1, IF: 0.5 },
  KOSDAQ: { ST: 0.54, FS: 0.64, DR: 0.13 }
}

/** Membership columns: blank or N for what no sector index counts, and on the files of Nextrade. */
const membershipsOf = (issue: Issue, group: string, { rankOf, venue }: MasterOf) => {
  const rank = rankOf(issue) ?? Number.POSITIVE_INFINITY
  const isAtHome = venue === "KRX"
  const counted = sectorsCount[issue.entry.market]?.[group] ?? 0
  const sector = isAtHome && characterOf(issue.entry.code) < counted ? "N" : ""
  const among = (count: number) => yes(isAtHome && rank < count)
  const isKospi = issue.entry.market === "KOSPI"
  return {
    mnin_cls_code_yn: isAtHome && ["ST", "RT", "IF"].includes(group) ? "" : "N",
    vntr_issu_yn: sector,
    low_current_yn: "N",
    sprn_strr_nmix_issu_yn: sector,
    kospi200_apnt_cls_code: isKospi && rank < 200 ? "5" : "0",
    kospi100_issu_yn: among(100),
    kospi50_issu_yn: among(50),
    krx_issu_yn: among(300),
    elw_pblc_yn: yes(isKospi && rank < 60),
    krx100_issu_yn: among(90),
    krx_car_yn: sector,
    krx_smcn_yn: sector,
    krx_bio_yn: sector,
    krx_bank_yn: sector,
    krx_enrg_chms_yn: sector,
    krx_stel_yn: sector,
    krx_medi_cmnc_yn: sector,
    krx_cnst_yn: sector,
    krx_fnnc_svc_yn: yes(["etf", "reit", "infra"].includes(issue.entry.kind)),
    krx_scrt_yn: sector,
    krx_ship_yn: sector,
    krx_insu_yn: sector,
    krx_trnp_yn: sector,
    sri_nmix_yn: sector,
    ksq150_nmix_yn: yes(!isKospi && rank < 150),
    krx300_issu_yn: issue.entry.market === "KONEX" ? "" : among(200),
    kospi_issu_yn: yes(isKospi && isAtHome && issue.entry.kind !== "pref" && ["ST", "RT", "IF"].includes(group))
  }
}

/** Every column of any master file for one issue; a layout takes those that it has. */
export const masterRow = (issue: Issue, file: MasterOf): Readonly<Record<string, string>> => {
  const { basePrice, entry } = issue
  const { flags } = entry
  const [group, product] = groups[entry.kind] ?? ["ST", ""]
  const isShare = group === "ST" || group === "FS" || group === "DR"
  const isOnNxt = file.venue === "NXT"
  const rank = file.rankOf(issue)
  const size = rank === undefined ? "0" : rank < 100 ? "1" : rank < 300 ? "2" : "3"
  const isLendable = rank !== undefined && rank < 300
  return {
    mksc_shrn_iscd: entry.code,
    stnd_iscd: entry.isin,
    hts_kor_isnm: entry.name,
    scrt_grp_cls_code: group,
    avls_scal_cls_code: group === "ST" ? size : group === "RT" ? "3" : group === "IF" ? "1" : "",
    bstp_larg_div_code: group !== "ST" ? "0000" : entry.market === "KOSDAQ" ? "1009" : "0027",
    bstp_medm_div_code: "0000",
    bstp_smal_div_code: "0000",
    etp_prod_cls_code: product,
    etpr_undt_objt_co_yn: yes(entry.kind === "spac"),
    short_over_cls_code: flags.includes("O") ? "3" : "0",
    invt_alrm_yn: "N",
    stck_sdpr: digits(basePrice, 9),
    frml_mrkt_deal_qty_unit: "00001",
    ovtm_mrkt_deal_qty_unit: isOnNxt || notTradedAfterHours.has(group) ? "00000" : "00001",
    trht_yn: yes(issue.halted),
    sltr_yn: yes(flags.includes("L")),
    mang_issu_yn: yes(flags.includes("A")),
    mrkt_alrm_cls_code: flags.includes("W") ? "02" : flags.includes("C") ? "01" : "00",
    mrkt_alrm_risk_adnt_yn: "N",
    insn_pbnt_yn: "N",
    byps_lstn_yn: "N",
    flng_cls_code: flags.includes("X") ? "01" : "00",
    fcam_mod_cls_code: "00",
    icic_cls_code: "00",
    marg_rate: isLendable ? "040" : "100",
    crdt_able: yes(isLendable),
    crdt_days: "090",
    prdy_vol: digits(isOnNxt ? (issue.nxt?.previousVolume ?? 0) : issue.previousVolume, 12),
    stac_month: isOnNxt || withoutFiscalMonth.has(group) ? "" : "12",
    po_prc: "",
    // New-type preferred shares have a letter at the end.
    prst_cls_code: entry.kind !== "pref" ? "0" : /[A-Z]$/.test(entry.code) ? "2" : "1",
    ssts_hot_yn: "",
    stange_runup_yn: "N",
    grp_code: "",
    co_crdt_limt_over_yn: "N",
    secu_lend_able_yn: "N",
    stln_able_yn: yes(isLendable),
    ...accountsOf(issue, isShare, file.date),
    ...membershipsOf(issue, group, file)
  }
}
