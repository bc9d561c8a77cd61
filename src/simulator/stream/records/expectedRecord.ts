import { marketHour } from "../../../calendar/MarketTime.ts"
import type { Issue } from "../../market/Issue.ts"
import { changeSign, percent } from "../../quotation/numbers.ts"
import { marketOperation } from "../../quotation/phaseCodes.ts"
import { halted } from "../../quotation/standing.ts"
import type { StreamKind, World } from "../StreamKind.ts"

/**
 * A NUL and two bytes that begin no UTF-8 character, where a blank column is. Which column carried them is not published
 * [U]; the blank one is where an unset field of a C structure would show. Frames are Latin-1, so these are the bytes.
 */
const strayBytes = "\u0000\u00ff\u00b0"

/**
 * `H0STANC0`: the trade columns with the expected match in them, only while an auction runs; 46 columns, or 45 as in the
 * table. Its "accumulated" volume is the expected one and goes up and down.
 */
export const expectedMatches = ({ options, view }: World): StreamKind => {
  const before = new Map<Issue, number>()
  const blank = options.expectedBytes === "asCaptured" ? strayBytes : ""
  return {
    trId: "H0STANC0",
    keys: "issue",
    offeredBy: "live",
    onExpected: (issue, { hourClass, price, volume }) => {
      const { basePrice } = issue
      const change = price - basePrice
      const book = view.book(issue)
      const moved = Math.abs(volume - (before.get(issue) ?? 0))
      before.set(issue, volume)
      const columns =
        `${issue.entry.code}^${marketHour(view.nowMs())}^${price}` +
        `^${changeSign(price, basePrice, issue.upper, issue.lower)}^${change}^${percent(change, basePrice)}` +
        `^0.00^0^0^0^${price}^${issue.grid.down(price)}^${moved}^${volume}^${price * volume}^0^0^0^0.00^0^0^1^0.01^0.00` +
        `^000000^3^0^000000^3^0^000000^3^0^${view.date()}^${marketOperation(view)}^${halted(issue)}` +
        `^${book.asks[0]?.size ?? 0}^${book.bids[0]?.size ?? 0}^${book.totalAskSize}^${book.totalBidSize}` +
        `^${percent(volume, issue.entry.listedShares)}^0^0.00^${hourClass}^${blank}`
      return { text: options.expectedColumns === 46 ? `${columns}^${basePrice}` : columns, cumVolume: volume }
    }
  }
}
