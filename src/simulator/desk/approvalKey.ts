import { createHash, createHmac } from "node:crypto"

/**
 * Approval keys look like a random UUID and hold, in their 30 free hex digits, the owner's mark (12), the second of
 * issue (8) and a seal over both (10): like tokens they survive a restart of the simulator.
 */
const life_seconds = 86_400

const seal = (body: string) => createHmac("sha256", "observer-simulator").update(body).digest("hex").slice(0, 10)

/** Names an app key without holding it; a stream session belongs to one owner. */
export const ownerOf = (appKey: string): string => createHash("sha256").update(appKey).digest("hex").slice(0, 12)

export const mintApprovalKey = (appKey: string, nowSeconds: number): string => {
  const body = ownerOf(appKey) + Math.floor(nowSeconds).toString(16).padStart(8, "0")
  const hex = body + seal(body)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18)}`
}

/** The owner of a key that this exchange gave out within the last 24 hours. */
export const ownerOfApprovalKey = (key: string, nowSeconds: number): string | undefined => {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/.test(key)) return undefined
  const hex = key.slice(0, 8) + key.slice(9, 13) + key.slice(15, 18) + key.slice(20, 23) + key.slice(24)
  const body = hex.slice(0, 20)
  const issued = Number.parseInt(body.slice(12), 16)
  return hex.slice(20) === seal(body) && nowSeconds < issued + life_seconds ? body.slice(0, 12) : undefined
}
