import type { StreamKind, World } from "../StreamKind.ts"
import { commonColumns, isSinglePriceEvening } from "./tradeRecord.ts"

/** `H0STOUP0`, 43 columns: the single-price market of 16:00 to 18:00, which ended on 2026-09-11. */
export const overtimeTrades = ({ view }: World): StreamKind => ({
  trId: "H0STOUP0",
  keys: "issue",
  offeredBy: "live",
  onTrade: (issue, trade) => {
    if (trade.venue !== "KRX" || !isSinglePriceEvening(trade)) return undefined
    const { ask, bid } = issue
    const text = commonColumns(view, issue, { ...issue, ...issue.overtime }, trade)
    return { text, cumVolume: issue.overtime.volume, ask, bid }
  }
})
