import { createHash } from "node:crypto"

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0")

/**
 * Makes the ids of one node's records: UUIDv7 text from the time of receipt, the node and `seq` alone, so the same
 * line always has the same id. After the 48 bits of time come 26 bits of the node's hash and 48 bits of `seq`:
 * two records of one node can never share an id, and no hash is computed per record.
 */
export const makeRecordId = (node: string): ((receivedAtMs: number, seq: number) => string) => {
  const digest = createHash("sha256").update(node).digest()
  const high = (digest.readUInt32BE(0) >>> 20) & 0xfff
  const low = (digest.readUInt32BE(4) >>> 18) & 0x3fff
  const nodePart = `7${hex(high, 3)}-${hex(0x8000 | low, 4)}`
  // Records come in runs of one millisecond.
  let lastMs: number | undefined
  let prefix = ""
  return (receivedAtMs, seq) => {
    if (receivedAtMs !== lastMs) {
      const time = hex(receivedAtMs, 12)
      prefix = `${time.slice(0, 8)}-${time.slice(8, 12)}-${nodePart}-`
      lastMs = receivedAtMs
    }
    return prefix + hex(seq, 12)
  }
}
