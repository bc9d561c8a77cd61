import { Effect } from "effect"
import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"
import { type Endpoint, type Query, quotations } from "./Endpoint.ts"
import { type Figures, figuresOf } from "./Figures.ts"
import { oneOf } from "./fields.ts"
import { changeSign, percent, whole } from "./numbers.ts"
import { membersOf } from "./indexMembers.ts"

const rowsMax = 30

interface Contender {
  readonly issue: Issue
  readonly figures: Figures
}

/** `FID_TRGT_EXLS_CLS_CODE`, one digit each: which issues a 1 leaves out. */
const exclusions: ReadonlyArray<(issue: Issue) => boolean> = [
  ({ entry }) => /[CW]/.test(entry.flags),
  ({ entry }) => entry.flags.includes("A"),
  ({ entry }) => entry.flags.includes("L"),
  () => false,
  ({ entry }) => entry.kind === "pref",
  ({ halted }) => halted,
  ({ entry }) => entry.kind === "etf",
  ({ entry }) => entry.kind === "etn",
  ({ still }) => still,
  ({ entry }) => entry.kind === "spac"
]

const share = (part: number, of: number) => (of === 0 ? 0 : part / of)

/** `FID_BLNG_CLS_CODE`: by volume, its growth, its turnover, value, value turnover. */
const orders: Readonly<Record<string, (contender: Contender) => number>> = {
  "0": ({ figures }) => figures.volume,
  "1": ({ figures }) => share(figures.volume, figures.previousVolume),
  "2": ({ figures, issue }) => share(figures.volume, issue.entry.listedShares),
  "3": ({ figures }) => figures.value,
  "4": ({ figures, issue }) => share(figures.value, figures.price * issue.entry.listedShares)
}

const numberOf = (query: Query, name: string, otherwise: number) => {
  const given = query.get(name) ?? ""
  return /^\d{1,15}$/.test(given) ? Number(given) : otherwise
}

/** The filters of a call; a blank or a 0 filters nothing. */
const isWanted = (query: Query, market: MarketView): ((contender: Contender) => boolean) => {
  const place = query.get("FID_INPUT_ISCD") ?? "0000"
  const members = place === "0000" || place === "" ? undefined : membersOf(market, place)
  const kind = query.get("FID_DIV_CLS_CODE") ?? "0"
  const left = query.get("FID_TRGT_EXLS_CLS_CODE") ?? ""
  const excluded = exclusions.filter((_, at) => left[at] === "1")
  const priceFrom = numberOf(query, "FID_INPUT_PRICE_1", 0)
  const priceTo = numberOf(query, "FID_INPUT_PRICE_2", 0) || Number.POSITIVE_INFINITY
  const volumeFrom = numberOf(query, "FID_VOL_CNT", 0)
  return ({ figures, issue }) =>
    figures.volume > 0 &&
    (members === undefined || members.has(issue)) &&
    (kind === "0" || kind === "" || (kind === "2") === (issue.entry.kind === "pref")) &&
    !excluded.some((leavesOut) => leavesOut(issue)) &&
    figures.price >= priceFrom &&
    figures.price <= priceTo &&
    figures.volume >= volumeFrom
}

const rankRow = ({ figures, issue }: Contender, rank: number) => {
  const { basePrice: base, entry } = issue
  const change = figures.price - base
  const turnover = percent(figures.volume, entry.listedShares)
  const valueTurnover = percent(figures.value, figures.price * entry.listedShares)
  return {
    hts_kor_isnm: entry.name,
    mksc_shrn_iscd: entry.code,
    data_rank: whole(rank),
    stck_prpr: whole(figures.price),
    prdy_vrss_sign: changeSign(figures.price, base, issue.upper, issue.lower),
    prdy_vrss: whole(change),
    prdy_ctrt: percent(change, base),
    acml_vol: whole(figures.volume),
    prdy_vol: whole(figures.previousVolume),
    lstn_stcn: whole(entry.listedShares),
    avrg_vol: whole(figures.volume),
    n_befr_clpr_vrss_prpr_rate: percent(change, base),
    vol_inrt: percent(figures.volume, figures.previousVolume),
    vol_tnrt: turnover,
    nday_vol_tnrt: turnover,
    avrg_tr_pbmn: whole(figures.value),
    tr_pbmn_tnrt: valueTurnover,
    nday_tr_pbmn_tnrt: valueTurnover,
    acml_tr_pbmn: whole(figures.value)
  }
}

export const volumeRank: Endpoint = {
  path: `${quotations}volume-rank`,
  trId: "FHPST01710000",
  inMock: false,
  ledger: false,
  answer: Effect.fnUntraced(function* ({ market, query }) {
    const division = yield* oneOf(query, "FID_COND_MRKT_DIV_CODE", ["J", "NX", "UN"])
    const order = orders[query.get("FID_BLNG_CLS_CODE") ?? "0"] ?? ((contender) => contender.figures.volume)
    const wanted = isWanted(query, market)
    const output = market.issues
      .flatMap((issue) => {
        const figures = figuresOf(market, issue, division)
        return figures === undefined ? [] : [{ issue, figures }]
      })
      .filter(wanted)
      .sort((a, b) => order(b) - order(a))
      .slice(0, rowsMax)
      .map((contender, at) => rankRow(contender, at + 1))
    return { blocks: { output } }
  })
}
