/** One column of a master file; widths in bytes. */
export interface Column {
  readonly name: string
  readonly width: number
}

const columns = (text: string): ReadonlyArray<Column> =>
  text.split(/\s+/).map((column) => {
    const [name = "", width] = column.split(":")
    return { name, width: Number(width) }
  })

const head = "mksc_shrn_iscd:9 stnd_iscd:12 hts_kor_isnm:40 scrt_grp_cls_code:2"
const sizeAndIndustry = "avls_scal_cls_code:1 bstp_larg_div_code:4 bstp_medm_div_code:4 bstp_smal_div_code:4"
const sectors =
  "krx_car_yn:1 krx_smcn_yn:1 krx_bio_yn:1 krx_bank_yn:1 etpr_undt_objt_co_yn:1 krx_enrg_chms_yn:1 krx_stel_yn:1 short_over_cls_code:1 krx_medi_cmnc_yn:1 krx_cnst_yn:1"
const trading =
  "stck_sdpr:9 frml_mrkt_deal_qty_unit:5 ovtm_mrkt_deal_qty_unit:5 trht_yn:1 sltr_yn:1 mang_issu_yn:1 mrkt_alrm_cls_code:2 mrkt_alrm_risk_adnt_yn:1 insn_pbnt_yn:1 byps_lstn_yn:1 flng_cls_code:2 fcam_mod_cls_code:2 icic_cls_code:2 marg_rate:3 crdt_able:1 crdt_days:3 prdy_vol:12 stck_fcam:12 stck_lstn_date:8 lstn_stcn:15 cpfn:21 stac_month:2 po_prc:7 prst_cls_code:1 ssts_hot_yn:1 stange_runup_yn:1 krx300_issu_yn:1"
const accounts = "sale_account:9 bsop_prfi:9 op_prfi:9 thtr_ntin:5 roe:9 base_date:8 prdy_avls_scal:9"
const lending = "co_crdt_limt_over_yn:1 secu_lend_able_yn:1 stln_able_yn:1"

/** 288 bytes a line, without its line feed. */
export const kospiLayout = columns(
  `${head} ${sizeAndIndustry} mnin_cls_code_yn:1 low_current_yn:1 sprn_strr_nmix_issu_yn:1 kospi200_apnt_cls_code:1 kospi100_issu_yn:1 kospi50_issu_yn:1 krx_issu_yn:1 etp_prod_cls_code:1 elw_pblc_yn:1 krx100_issu_yn:1 ${sectors} krx_fnnc_svc_yn:1 krx_scrt_yn:1 krx_ship_yn:1 krx_insu_yn:1 krx_trnp_yn:1 sri_nmix_yn:1 ${trading} kospi_issu_yn:1 ${accounts} grp_code:3 ${lending}`
)
/** 282 bytes. */
export const kosdaqLayout = columns(
  `${head} ${sizeAndIndustry} vntr_issu_yn:1 low_current_yn:1 krx_issu_yn:1 etp_prod_cls_code:1 krx100_issu_yn:1 ${sectors} invt_alrm_yn:1 krx_scrt_yn:1 krx_ship_yn:1 krx_insu_yn:1 krx_trnp_yn:1 ksq150_nmix_yn:1 ${trading} ${accounts} grp_code:3 ${lending}`
)
/** 245 bytes. */
export const konexLayout = columns(`${head} ${trading} ${accounts} ${lending}`)
