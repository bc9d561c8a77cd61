import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { characterOf, companyOf, yearOf } from "./company.ts"
import type { Endpoint } from "./Endpoint.ts"
import type { Figures } from "./Figures.ts"
import { changeSign, decimal, direction, percent, since, whole } from "./numbers.ts"
import { interrupted } from "./standing.ts"
import { rowOf, subjectOf } from "./Subject.ts"

/** What a fund's share is worth, made up: within half a per cent of its price, the same all day long. */
const worthOf = (issue: Issue, price: number) => price * (1 + (characterOf(issue.entry.code) - 0.5) / 100)

const fundRow = (market: MarketView, issue: Issue, figures: Figures) => {
  const { basePrice: base, entry } = issue
  const { high, low, open, price } = figures
  const nav = worthOf(issue, price)
  const lastNav = worthOf(issue, base)
  const year = yearOf(issue, market.date())
  return {
    stck_prpr: whole(price),
    prdy_vrss_sign: changeSign(price, base, issue.upper, issue.lower),
    prdy_vrss: whole(price - base),
    prdy_ctrt: percent(price - base, base),
    acml_vol: whole(figures.volume),
    prdy_vol: whole(figures.previousVolume),
    stck_mxpr: whole(issue.upper),
    stck_llam: whole(issue.lower),
    stck_prdy_clpr: whole(base),
    stck_oprc: whole(open),
    prdy_clpr_vrss_oprc_rate: percent(since(open, base), base),
    stck_hgpr: whole(high),
    prdy_clpr_vrss_hgpr_rate: percent(since(high, base), base),
    stck_lwpr: whole(low),
    prdy_clpr_vrss_lwpr_rate: percent(since(low, base), base),
    prdy_last_nav: decimal(lastNav),
    nav: decimal(nav),
    nav_prdy_vrss: decimal(nav - lastNav),
    nav_prdy_vrss_sign: direction(Math.round((nav - lastNav) * 100)),
    nav_prdy_ctrt: percent(nav - lastNav, lastNav),
    trc_errt: "0.53",
    stck_sdpr: whole(base),
    stck_sspr: whole(issue.grid.floor(base * 0.8)),
    // In the field list, not in the portal's reply.
    nmix_ctrt: "0.00",
    etf_crcl_stcn: whole(entry.listedShares),
    etf_ntas_ttam: whole((nav * entry.listedShares) / 100_000_000),
    etf_frcr_ntas_ttam: "0",
    frgn_limt_rate: "100.0000",
    frgn_oder_able_qty: whole(entry.listedShares),
    etf_cu_unit_scrt_cnt: "50000",
    etf_cnfg_issu_cnt: whole(10 + characterOf(entry.code) * 190),
    etf_dvdn_cycl: "2",
    crcd: "KRW",
    etf_crcl_ntas_ttam: "0",
    etf_frcr_crcl_ntas_ttam: "0",
    etf_frcr_last_ntas_wrth_val: "0",
    lp_oder_able_cls_code: "N",
    stck_dryy_hgpr: whole(year.high),
    dryy_hgpr_vrss_prpr_rate: percent(price - year.high, year.high),
    dryy_hgpr_date: year.highDate,
    stck_dryy_lwpr: whole(year.low),
    dryy_lwpr_vrss_prpr_rate: percent(price - year.low, year.low),
    dryy_lwpr_date: year.lowDate,
    bstp_kor_isnm: companyOf(entry, base).industry,
    vi_cls_code: interrupted(market, issue),
    lstn_stcn: whole(entry.listedShares),
    frgn_hldn_qty: "0",
    frgn_hldn_qty_rate: "0.00",
    etf_trc_ert_mltp: "1.00",
    dprt: percent(price - nav, nav),
    // The manager, by the brand in the name: the universe does not know it.
    mbcr_name: `${entry.name.split(" ")[0] ?? ""}(ETF)`,
    stck_lstn_date: companyOf(entry, base).listedOn,
    mtrt_date: "0",
    shrg_type_code: "  ",
    lp_hldn_rate: "0.00",
    etf_trgt_nmix_bstp_code: "2001",
    etf_div_name: "수익증권형",
    etf_rprs_bstp_kor_isnm: "KOSPI200",
    lp_hldn_vol: "0"
  }
}

/** ETF and ETN alike; what a share gets here is not known [U], and is answered as if it were a fund. */
export const etfPrice: Endpoint = {
  path: "/uapi/etfetn/v1/quotations/inquire-price",
  trId: "FHPST02400000",
  inMock: false,
  ledger: false,
  answer: Effect.fnUntraced(function* (asked) {
    const subject = yield* subjectOf(asked)
    return { blocks: { output: rowOf(asked, subject, (issue, figures) => fundRow(asked.market, issue, figures)) } }
  })
}
