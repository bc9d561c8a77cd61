import type { Issue } from "../../market/Issue.ts"
import type { StreamKind, World } from "../StreamKind.ts"
import { isSinglePriceEvening, tradeColumns } from "./tradeRecord.ts"
import { bothVenues } from "./bothVenues.ts"

const isOnNextrade = (issue: Issue): boolean => issue.nxt !== undefined

/**
 * `H0UNCNT0`: KRX and Nextrade added up, 47 columns, 46 before 2026-09-14. Accepted for every issue, silent for those
 * that Nextrade does not list.
 */
export const unifiedTrades = ({ view }: World): StreamKind => ({
  trId: "H0UNCNT0",
  keys: "issue",
  offeredBy: "live",
  carries: isOnNextrade,
  onTrade: (issue, trade) => {
    if (isSinglePriceEvening(trade)) return undefined
    const both = bothVenues(issue)
    return { text: tradeColumns(view, issue, both, trade), cumVolume: both.volume, ask: both.ask, bid: both.bid }
  }
})

/** `H0NXCNT0`: Nextrade alone, the same columns and the same trap. */
export const nextradeTrades = ({ view }: World): StreamKind => ({
  trId: "H0NXCNT0",
  keys: "issue",
  offeredBy: "live",
  carries: isOnNextrade,
  onTrade: (issue, trade) => {
    const { nxt } = issue
    if (nxt === undefined || trade.venue !== "NXT") return undefined
    return { text: tradeColumns(view, issue, nxt, trade), cumVolume: nxt.volume, ask: nxt.ask, bid: nxt.bid }
  }
})
