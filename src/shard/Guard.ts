import type { RejectReason } from "../domain/Reject.ts"
import type { Sighting } from "../domain/Sighting.ts"

/** Why a sighting is not data, or `undefined` when it is. Zero is not a price, and neither is a blank. */
export const refusal = (sighting: Sighting): RejectReason | undefined => {
  const { ask, bid, cumVolume, price, volume } = sighting
  if ([price, volume, cumVolume, ask, bid].some((value) => Number.isNaN(value))) return "badNumber"
  if (price === undefined) return "blankPrice"
  if (price <= 0) return "zeroPrice"
  return undefined
}
