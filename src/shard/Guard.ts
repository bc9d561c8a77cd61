import type { RejectReason } from "../domain/Reject.ts"
import type { Sighting } from "../domain/Sighting.ts"

/** Why a sighting is not data, or `undefined` when it is. Zero is not a price, and neither is a blank. */
export const refusal = ({ ask, bid, cumVolume, kind, price, volume }: Sighting): RejectReason | undefined => {
  const { isNaN } = Number
  if (isNaN(price) || isNaN(volume) || isNaN(cumVolume) || isNaN(ask) || isNaN(bid)) return "badNumber"
  if (kind === "book") return bookRefusal(ask, bid)
  if (price === undefined) return "blankPrice"
  if (price <= 0) return "zeroPrice"
  return undefined
}

/** A book has no price of its own; one side may be empty, as of a stock at its limit, but not both. */
const bookRefusal = (ask = 0, bid = 0): RejectReason | undefined =>
  ask < 0 || bid < 0 ? "zeroPrice" : ask === 0 && bid === 0 ? "emptyBook" : undefined
