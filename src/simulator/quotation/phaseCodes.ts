import type { Issue } from "../market/Issue.ts"
import type { MarketView } from "../market/MarketView.ts"

/** `hour_cls_code`: A and B expected prices of the closing and the opening auction, C an interruption, 0 anything else. */
export const hourClass = (market: MarketView, issue: Issue): string => {
  const phase = market.phase()
  if (phase === "openingAuction") return "B"
  if (phase === "closingAuction") return "A"
  return market.interruption(issue) === undefined ? "0" : "C"
}

/** `new_mkop_cls_code`. 20 and 31 are captured; the after-market's is not known [U], it trades like a session. */
export const marketOperation = (market: MarketView): string => {
  switch (market.phase()) {
    case "preOpen":
      return "10"
    case "openingAuction":
      return "00"
    case "closingAuction":
      return "21"
    case "afterClose":
    case "closed":
      return "31"
    default:
      return "20"
  }
}

/** `antc_mkop_cls_code`: 112 is captured, both in the session and after the close. */
export const auctionOperation = (market: MarketView): string => {
  const phase = market.phase()
  return phase === "openingAuction" ? "110" : phase === "closingAuction" ? "121" : "112"
}
