import type { Issue, Quotes, Tally } from "../../market/Issue.ts"
import type { MarketView } from "../../market/MarketView.ts"
import type { Trade } from "../../market/trading.ts"
import { changeSign, decimal, direction, percent } from "../../quotation/numbers.ts"
import { halted } from "../../quotation/standing.ts"
import { afterMarketSince } from "../codes.ts"
import type { StreamKind, World } from "../StreamKind.ts"

/** An issue's day so far on one venue, with its quotes there. */
export interface Sheet extends Quotes, Tally {
  readonly previousVolume: number
}

/** KIS prints the buyers' share of the volume cut to two decimals, plus 0.01: so in every captured record. */
const buyShare = ({ buyVolume, volume }: Tally): string =>
  volume === 0 ? "0.01" : (Math.floor((buyVolume / volume) * 100) / 100 + 0.01).toFixed(2)

/** `CCLD_DVSN`; the print of an auction has neither side. */
const sides = { buy: "1", sell: "5", none: "" } as const

/** `000000^3^0` of what has not traded yet, as in the captured auctions. */
const since = (hour: string, price: number, then: number): string =>
  then === 0 ? `${hour}^3^0` : `${hour}^${direction(price - then)}^${price - then}`

/** The 43 columns that every stream of trades begins with, of the trade the sheet was just left by. */
export const commonColumns = (view: MarketView, issue: Issue, sheet: Sheet, trade: Trade): string => {
  const { basePrice } = issue
  const { price } = trade
  const { high, low, open, volume } = sheet
  const change = price - basePrice
  return (
    `${issue.entry.code}^${trade.hour}^${price}^${changeSign(price, basePrice, issue.upper, issue.lower)}^${change}` +
    `^${percent(change, basePrice)}^${volume === 0 ? "0.00" : decimal(sheet.value / volume)}^${open}^${high}^${low}` +
    `^${sheet.ask}^${sheet.bid}` +
    `^${trade.size}^${volume}^${sheet.value}^${sheet.sellCount}^${sheet.buyCount}^${sheet.buyCount - sheet.sellCount}` +
    `^${percent(sheet.buyVolume, sheet.sellVolume)}^${sheet.sellVolume}^${sheet.buyVolume}^${sides[trade.side]}` +
    `^${buyShare(sheet)}^${percent(volume, sheet.previousVolume)}` +
    `^${since(sheet.openHour, price, open)}^${since(sheet.highHour, price, high)}^${since(sheet.lowHour, price, low)}` +
    `^${view.date()}^${trade.operationCode}^${halted(issue)}` +
    `^${sheet.askSize}^${sheet.bidSize}^${sheet.totalAskSize}^${sheet.totalBidSize}` +
    `^${percent(volume, issue.entry.listedShares)}^${issue.sameTimeVolume}^${percent(volume, issue.sameTimeVolume)}`
  )
}

/** 47 columns, 46 before 2026-09-14. */
export const tradeColumns = (view: MarketView, issue: Issue, sheet: Sheet, trade: Trade): string => {
  const market = view.date() >= afterMarketSince ? `^${trade.session}` : ""
  return `${commonColumns(view, issue, sheet, trade)}^${trade.hourClass}^^${view.reference(issue)}${market}`
}

/** Before September 2026 the single-price evening had a stream of its own. */
export const isSinglePriceEvening = (trade: Trade): boolean => trade.operationCode === "40"

/** `H0STCNT0`. */
export const krxTrades = ({ view }: World): StreamKind => ({
  trId: "H0STCNT0",
  keys: "issue",
  offeredBy: "both",
  onTrade: (issue, trade) =>
    trade.venue !== "KRX" || isSinglePriceEvening(trade)
      ? undefined
      : { text: tradeColumns(view, issue, issue, trade), cumVolume: issue.volume, ask: issue.ask, bid: issue.bid }
})
