import type { RejectReason } from "../domain/Reject.ts"
import type { Sighting } from "../domain/Sighting.ts"

/** Why a sighting is not data, or `undefined` when it is. Zero is not a price, and neither is a blank. */
export const refusal = ({ ask, bid, cumVolume, price, volume }: Sighting): RejectReason | undefined => {
  const { isNaN } = Number
  if (isNaN(price) || isNaN(volume) || isNaN(cumVolume) || isNaN(ask) || isNaN(bid)) return "badNumber"
  if (price === undefined) return "blankPrice"
  if (price <= 0) return "zeroPrice"
  return undefined
}
