/** One column of a line, in bytes from the line's start. */
export interface Column {
  readonly from: number
  readonly width: number
}

/** Where everything stands in a line of fixed width; `width` is that of the line without its line feed. */
export interface Layout {
  readonly width: number
  readonly columns: ReadonlyMap<string, Column>
}

const layout = (...parts: ReadonlyArray<string>): Layout => {
  const columns = new Map<string, Column>()
  let from = 0
  for (const column of parts.join(" ").split(/\s+/)) {
    const [name = "", text] = column.split(":")
    const width = Number(text)
    columns.set(name, { from, width })
    from += width
  }
  return { width: from, columns }
}

const head = "mksc_shrn_iscd:9 stnd_iscd:12 hts_kor_isnm:40 scrt_grp_cls_code:2"

/** The middle of every line: prices, halts and warnings, volume, listing. */
const trading = `stck_sdpr:9 frml_mrkt_deal_qty_unit:5 ovtm_mrkt_deal_qty_unit:5 trht_yn:1 sltr_yn:1 mang_issu_yn:1
  mrkt_alrm_cls_code:2 mrkt_alrm_risk_adnt_yn:1 insn_pbnt_yn:1 byps_lstn_yn:1 flng_cls_code:2 fcam_mod_cls_code:2
  icic_cls_code:2 marg_rate:3 crdt_able:1 crdt_days:3 prdy_vol:12 stck_fcam:12 stck_lstn_date:8 lstn_stcn:15 cpfn:21
  stac_month:2 po_prc:7 prst_cls_code:1 ssts_hot_yn:1 stange_runup_yn:1 krx300_issu_yn:1`

const accounts = "sale_account:9 bsop_prfi:9 op_prfi:9 thtr_ntin:5 roe:9 base_date:8 prdy_avls_scal:9"
const lending = "co_crdt_limt_over_yn:1 secu_lend_able_yn:1 stln_able_yn:1"

/** 288 bytes (kis/symbols.md §2.1, kis/fields/master_kospi.json). The file of what Nextrade lists has the same. */
export const kospiLayout = layout(
  head,
  `avls_scal_cls_code:1 bstp_larg_div_code:4 bstp_medm_div_code:4 bstp_smal_div_code:4 mnin_cls_code_yn:1
  low_current_yn:1 sprn_strr_nmix_issu_yn:1 kospi200_apnt_cls_code:1 kospi100_issu_yn:1 kospi50_issu_yn:1 krx_issu_yn:1
  etp_prod_cls_code:1 elw_pblc_yn:1 krx100_issu_yn:1 krx_car_yn:1 krx_smcn_yn:1 krx_bio_yn:1 krx_bank_yn:1
  etpr_undt_objt_co_yn:1 krx_enrg_chms_yn:1 krx_stel_yn:1 short_over_cls_code:1 krx_medi_cmnc_yn:1 krx_cnst_yn:1
  krx_fnnc_svc_yn:1 krx_scrt_yn:1 krx_ship_yn:1 krx_insu_yn:1 krx_trnp_yn:1 sri_nmix_yn:1`,
  trading,
  "kospi_issu_yn:1",
  accounts,
  "grp_code:3",
  lending
)

/** 282 bytes (kis/fields/master_kosdaq.json). The file of what Nextrade lists has the same. */
export const kosdaqLayout = layout(
  head,
  `avls_scal_cls_code:1 bstp_larg_div_code:4 bstp_medm_div_code:4 bstp_smal_div_code:4 vntr_issu_yn:1 low_current_yn:1
  krx_issu_yn:1 etp_prod_cls_code:1 krx100_issu_yn:1 krx_car_yn:1 krx_smcn_yn:1 krx_bio_yn:1 krx_bank_yn:1
  etpr_undt_objt_co_yn:1 krx_enrg_chms_yn:1 krx_stel_yn:1 short_over_cls_code:1 krx_medi_cmnc_yn:1 krx_cnst_yn:1
  invt_alrm_yn:1 krx_scrt_yn:1 krx_ship_yn:1 krx_insu_yn:1 krx_trnp_yn:1 ksq150_nmix_yn:1`,
  trading,
  accounts,
  "grp_code:3",
  lending
)

/** 245 bytes (kis/fields/master_konex.json). */
export const konexLayout = layout(head, trading, accounts, lending)

/** 45 bytes: a digit for the market, the four digits that calls want, the name (kis/symbols.md §2). */
export const indexLayout = layout("market:1 code:4 name:40")
