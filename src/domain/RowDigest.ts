import { createHash } from "node:crypto"

/**
 * Names what a row of a reply said: the first 16 hex digits of the SHA-256 of its values, joined by `^` in wire order.
 * The simulator's ledger holds it, and an audit computes it from the journal's payload.
 */
export const rowDigest = (row: object): string =>
  createHash("sha256").update(Object.values(row).join("^")).digest("hex").slice(0, 16)
