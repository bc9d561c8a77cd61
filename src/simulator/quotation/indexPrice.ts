import { Effect } from "effect"
import type { IndexLevel } from "../market/Indices.ts"
import type { MarketView } from "../market/MarketView.ts"
import { blanked } from "./blanked.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"
import { oneOf, wanted } from "./fields.ts"
import { membersOf } from "./indexMembers.ts"
import { indexYear } from "./indexYear.ts"
import { decimal, direction, percent, since, whole } from "./numbers.ts"

const restingOf = (market: MarketView, code: string) => {
  let asks = 0,
    bids = 0,
    previousVolume = 0,
    previousValue = 0
  for (const issue of membersOf(market, code)) {
    asks += issue.totalAskSize
    bids += issue.totalBidSize
    previousVolume += issue.previousVolume
    previousValue += issue.previousVolume * issue.basePrice
  }
  return { asks, bids, previousVolume: previousVolume / 1_000, previousValue: previousValue / 1_000_000 }
}

/** Volumes are in thousand shares, values in million KRW; opens, highs and lows compare with the previous close. */
const levelRow = (market: MarketView, index: IndexLevel) => {
  const { high, level, low, open, previous } = index
  const { asks, bids, previousValue, previousVolume } = restingOf(market, index.code)
  const { atLower, atUpper, falling, rising, unchanged } = market.breadth(index.code)
  const year = indexYear(index, market.date())
  return {
    bstp_nmix_prpr: decimal(level),
    bstp_nmix_prdy_vrss: decimal(level - previous),
    prdy_vrss_sign: direction(Math.round((level - previous) * 100)),
    bstp_nmix_prdy_ctrt: percent(level - previous, previous),
    acml_vol: whole(index.volume),
    prdy_vol: whole(previousVolume),
    acml_tr_pbmn: whole(index.value),
    prdy_tr_pbmn: whole(previousValue),
    bstp_nmix_oprc: decimal(open),
    prdy_nmix_vrss_nmix_oprc: decimal(since(open, previous)),
    oprc_vrss_prpr_sign: direction(Math.round(since(open, previous) * 100)),
    bstp_nmix_oprc_prdy_ctrt: percent(since(open, previous), previous),
    bstp_nmix_hgpr: decimal(high),
    prdy_nmix_vrss_nmix_hgpr: decimal(since(high, previous)),
    hgpr_vrss_prpr_sign: direction(Math.round(since(high, previous) * 100)),
    bstp_nmix_hgpr_prdy_ctrt: percent(since(high, previous), previous),
    bstp_nmix_lwpr: decimal(low),
    prdy_clpr_vrss_lwpr: decimal(since(low, previous)),
    lwpr_vrss_prpr_sign: direction(Math.round(since(low, previous) * 100)),
    prdy_clpr_vrss_lwpr_rate: percent(since(low, previous), previous),
    ascn_issu_cnt: whole(rising),
    uplm_issu_cnt: whole(atUpper),
    stnr_issu_cnt: whole(unchanged),
    down_issu_cnt: whole(falling),
    lslm_issu_cnt: whole(atLower),
    dryy_bstp_nmix_hgpr: decimal(year.high),
    dryy_hgpr_vrss_prpr_rate: percent(year.high - level, year.high),
    dryy_bstp_nmix_hgpr_date: year.highDate,
    dryy_bstp_nmix_lwpr: decimal(year.low),
    dryy_lwpr_vrss_prpr_rate: percent(year.low - level, year.low),
    dryy_bstp_nmix_lwpr_date: year.lowDate,
    total_askp_rsqn: whole(asks),
    total_bidp_rsqn: whole(bids),
    seln_rsqn_rate: percent(asks, asks + bids),
    shnu_rsqn_rate: percent(bids, asks + bids),
    ntby_rsqn: whole(bids - asks)
  }
}

export const indexPrice: Endpoint = {
  path: `${quotations}inquire-index-price`,
  trId: "FHPUP02100000",
  inMock: false,
  ledger: false,
  answer: Effect.fnUntraced(function* ({ market, query }) {
    yield* oneOf(query, "FID_COND_MRKT_DIV_CODE", ["U"])
    const code = yield* wanted(query, "FID_INPUT_ISCD")
    const index = market.index(code)
    const [any] = market.indices()
    if (index !== undefined) return { blocks: { output: levelRow(market, index) } }
    return { blocks: { output: any === undefined ? {} : blanked(levelRow(market, any)) } }
  })
}
