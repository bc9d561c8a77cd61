import { Effect } from "effect"
import { createHash } from "node:crypto"
import { join } from "node:path"
import { Disk, type DiskError } from "./Disk.ts"
import { readGzip } from "./GzipFile.ts"
import type { JournalReadError } from "./JournalError.ts"
import { gzipSuffix, openSuffix } from "./SegmentName.ts"

/**
 * Bytes of a segment's content from an offset on, whatever form the file has: about `length`, fewer at the end. A file
 * that is being written is sealed, and so renamed, and a sealed one is compressed, and so removed, between two reads; each
 * form is looked for in the order in which they follow each other, so that one of them is always found.
 */
export const readContent = Effect.fnUntraced(function* (
  dataDir: string,
  file: string,
  at: number,
  length: number
): Effect.fn.Return<Uint8Array, DiskError | JournalReadError, Disk> {
  const disk = yield* Disk
  const path = join(dataDir, file)
  const isMissing = (error: { readonly _tag: string; readonly code?: string }) => error.code === "ENOENT"
  const plain = disk.readAt(path, at, length)
  return yield* plain.pipe(
    Effect.catchIf(isMissing, () => disk.readAt(path + openSuffix, at, length)),
    Effect.catchIf(isMissing, () => plain),
    Effect.catchIf(isMissing, (missing) =>
      readGzip(path + gzipSuffix, at, length).pipe(Effect.catchIf(isMissing, () => Effect.fail(missing)))
    )
  )
})

/** Length and SHA-256 of some bytes. */
export interface Digest {
  readonly bytes: number
  readonly sha256: string
}

/** The digest of what a reader gives from each offset on, until it gives nothing. */
export const digestOf = Effect.fnUntraced(function* <E, R>(read: (at: number) => Effect.Effect<Uint8Array, E, R>) {
  const hash = createHash("sha256")
  let at = 0
  while (true) {
    const bytes = yield* read(at)
    if (bytes.length === 0) return { bytes: at, sha256: hash.digest("hex") } satisfies Digest
    hash.update(bytes)
    at += bytes.length
  }
})
