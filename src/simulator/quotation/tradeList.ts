import type { Issue } from "../market/Issue.ts"
import type { MarketView, PastTrade } from "../market/MarketView.ts"
import { decimal } from "./numbers.ts"
import type { Subject } from "./Subject.ts"
import { tradesOf } from "./venues.ts"

export const listedTradesMax = 30

/** A past trade with the trade strength it left: what was bought per what was sold, in per cent. */
export interface ListedTrade {
  readonly issue: Issue
  readonly trade: PastTrade
  readonly strength: string
}

/** A number in [0, 1) that belongs to a trade: both lists must lack the same ones, whenever they are asked. */
const luckOf = (code: string, date: string, cumVolume: number): number => {
  let hash = 2_166_136_261
  for (const letter of `${code}${date}${cumVolume}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 16_777_619)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296
}

/**
 * The newest trades up to an hour (`HHMMSS`), newest first, as the trade lists show them: a share of all trades is
 * never in them.
 */
export const listedTrades = (
  market: MarketView,
  { division, listed }: Subject,
  lostShare: number,
  untilHour = "235959"
): ReadonlyArray<ListedTrade> => {
  if (listed === undefined) return []
  const { figures, issue } = listed
  const rows: Array<ListedTrade> = []
  let bought = figures.buyVolume,
    sold = figures.sellVolume
  for (const trade of tradesOf(market, issue, division)) {
    if (rows.length === listedTradesMax) break
    const strength = decimal(sold === 0 ? 0 : (bought / sold) * 100)
    if (trade.side === "buy") bought -= trade.size
    if (trade.side === "sell") sold -= trade.size
    if (trade.hour > untilHour || luckOf(issue.entry.code, market.date(), trade.cumVolume) < lostShare) continue
    rows.push({ issue, trade, strength })
  }
  return rows
}
