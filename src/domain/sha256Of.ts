import { createHash } from "node:crypto"

/** The SHA-256 of some bytes, as 64 hex digits: what files are named by and held against. */
export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
