import { Effect } from "effect"
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import type { OnBytes } from "./BackupTarget.ts"
import { fileCall } from "./fileCall.ts"

export interface FileHash {
  readonly bytes: number
  readonly sha256: string
}

const block_bytes = 1 << 18

/** Length and SHA-256 of a text. */
export const textHash = (text: string): FileHash => ({
  bytes: Buffer.byteLength(text),
  sha256: createHash("sha256").update(text).digest("hex")
})

/** Reads a file block by block, so that other work has its turn. */
export const hashOf = async (path: string, onBytes: OnBytes, signal?: AbortSignal): Promise<FileHash> => {
  const handle = await open(path, "r")
  try {
    const hash = createHash("sha256")
    const block = Buffer.allocUnsafe(block_bytes)
    let bytes = 0
    while (true) {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(block, 0, block_bytes, bytes)
      if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") }
      hash.update(block.subarray(0, bytesRead))
      bytes += bytesRead
      onBytes(bytesRead)
    }
  } finally {
    await handle.close()
  }
}

/** Length and SHA-256 of a file; `undefined` when it is not there. */
export const hashFile = (path: string, onBytes: OnBytes = () => undefined) =>
  fileCall("read", path, (signal): Promise<FileHash | undefined> => hashOf(path, onBytes, signal)).pipe(
    Effect.catchIf(
      ({ code }) => code === "ENOENT" || code === "ENOTDIR",
      () => Effect.undefined
    )
  )
