import { Effect } from "effect"
import type { Interruption, MarketView } from "../market/MarketView.ts"
import { type Endpoint, type Query, quotations } from "./Endpoint.ts"
import { percent, whole } from "./numbers.ts"

const kinds = { static: "1", dynamic: "2" } as const
const boards: Readonly<Record<string, string>> = { K: "KOSPI", Q: "KOSDAQ" }

const eventRow = (market: MarketView, event: Interruption, count: number) => {
  const isStatic = event.kind === "static"
  const rate = percent(event.triggerPrice - event.referencePrice, event.referencePrice)
  return {
    hts_kor_isnm: market.issue(event.code)?.entry.name ?? "",
    mksc_shrn_iscd: event.code,
    vi_cls_code: event.endHour === undefined ? "Y" : "N",
    bsop_date: market.date(),
    cntg_vi_hour: event.startHour,
    vi_cncl_hour: event.endHour ?? "000000",
    vi_kind_code: kinds[event.kind],
    vi_prc: whole(event.triggerPrice),
    vi_stnd_prc: isStatic ? whole(event.referencePrice) : "0",
    vi_dprt: isStatic ? rate : "0.00",
    vi_dmc_stnd_prc: isStatic ? "0" : whole(event.referencePrice),
    vi_dmc_dprt: isStatic ? "0.00" : rate,
    vi_count: whole(count)
  }
}

const wantedBy = (query: Query, market: MarketView) => {
  const direction = query.get("FID_DIV_CLS_CODE") ?? "0"
  const board = boards[query.get("FID_MRKT_CLS_CODE") ?? "0"]
  const kind = query.get("FID_RANK_SORT_CLS_CODE") ?? "0"
  const code = query.get("FID_INPUT_ISCD") ?? ""
  return (event: Interruption): boolean =>
    (direction === "0" || (direction === "1") === event.triggerPrice > event.referencePrice) &&
    (board === undefined || market.issue(event.code)?.entry.market === board) &&
    (kind === "0" || kind === "3" || kinds[event.kind] === kind) &&
    (code === "" || event.code === code)
}

/** `inquire-vi-status`: today's interruptions, newest first; one that is over stays with `vi_cls_code` N. */
export const viStatus: Endpoint = {
  path: `${quotations}inquire-vi-status`,
  trId: "FHPST01390000",
  inMock: false,
  ledger: false,
  answer: ({ market, query }) => {
    const date = query.get("FID_INPUT_DATE_1") ?? ""
    // Other days are not remembered.
    const events = date === "" || date === market.date() ? market.interruptions() : []
    const counts = new Map<string, number>()
    const counted = [...events].reverse().map((event) => {
      const count = (counts.get(event.code) ?? 0) + 1
      counts.set(event.code, count)
      return { event, count }
    })
    const isWanted = wantedBy(query, market)
    const rows = counted
      .reverse()
      .filter(({ event }) => isWanted(event))
      .map(({ count, event }) => eventRow(market, event, count))
    const [newest] = rows
    const isForOne = (query.get("FID_INPUT_ISCD") ?? "") !== ""
    // Asked for one symbol the block is an object, as captured; without an interruption an empty list is a guess [U].
    return Effect.succeed({ blocks: { output: isForOne && newest !== undefined ? newest : rows } })
  }
}
