import { Data, Effect } from "effect"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import { Disk, type DiskError, type DiskFile } from "../Disk.ts"
import { readGzip } from "../GzipFile.ts"
import { makeMember } from "../GzipMember.ts"
import { JournalReadError } from "../JournalError.ts"
import type { CompressedFile, ManifestLine } from "../Manifest.ts"
import { type Digest, digestOf } from "../SegmentContent.ts"
import { gzipSuffix } from "../SegmentName.ts"

/** A sealed file that is not what was sealed. Its compressed form would look sound, so there is none. */
export class FileDamaged extends Data.TaggedError("FileDamaged")<{ readonly path: string }> {
  override get message() {
    return `${this.path} is not what was sealed: its hash differs from the manifest's; it is left as it is, bring it back from a backup`
  }
}

/** Content of one member, about: what a reader inflates to reach a line. */
const member_bytes = 1 << 20
/** A stretch without the end of a line that is cut all the same, so that a damaged file costs no more memory than this. */
const line_bytes_max = 1 << 24
const newline = 0x0a

/** Writes the members of a file one after the other; gives the digests of what went in and what came out. */
const writeMembers = Effect.fnUntraced(function* (plain: string, draft: DiskFile) {
  const disk = yield* Disk
  const content = createHash("sha256")
  const compressed = createHash("sha256")
  let read = 0
  let written = 0
  let rest: Buffer = Buffer.alloc(0)
  while (true) {
    const bytes = yield* disk.readAt(plain, read, member_bytes)
    read += bytes.length
    const all = Buffer.concat([rest, bytes])
    const isWhole = bytes.length === 0 || all.length > line_bytes_max
    const end = isWhole ? all.length : all.lastIndexOf(newline) + 1
    rest = all.subarray(end)
    if (end > 0) {
      const lines = all.subarray(0, end)
      const member = yield* Effect.promise(() => makeMember(lines))
      yield* draft.write(member, written)
      content.update(lines)
      compressed.update(member)
      written += member.length
    }
    if (bytes.length === 0) break
  }
  const before: Digest = { bytes: read, sha256: content.digest("hex") }
  const after: Digest = { bytes: written, sha256: compressed.digest("hex") }
  return { before, after }
})

/**
 * Makes the compressed form of a sealed file and puts it beside it: written, synced, read back and held against the manifest's
 * hash, and only then given its name. What fails or is interrupted on the way leaves nothing behind.
 */
export const compressFile = Effect.fnUntraced(function* (
  dataDir: string,
  day: string,
  line: ManifestLine
): Effect.fn.Return<CompressedFile, DiskError | JournalReadError | FileDamaged, Disk> {
  const disk = yield* Disk
  const file = line.file + gzipSuffix
  const path = join(dataDir, day, file)
  const draft = `${path}.new`
  const isSealed = ({ bytes, sha256 }: Digest) => bytes === line.bytes && sha256 === line.sha256
  const made = Effect.gen(function* () {
    const { after, before } = yield* Effect.acquireUseRelease(
      disk.openForWriting(draft),
      (handle) =>
        handle.truncate(0).pipe(
          Effect.andThen(writeMembers(join(dataDir, day, line.file), handle)),
          Effect.tap(() => handle.datasync)
        ),
      (handle) => Effect.ignore(handle.close)
    )
    if (!isSealed(before)) return yield* new FileDamaged({ path: join(dataDir, day, line.file) })
    if (!isSealed(yield* digestOf((at) => readGzip(draft, at, member_bytes)))) {
      return yield* new JournalReadError({ file: draft, detail: "what was compressed reads back as something else" })
    }
    yield* disk.rename(draft, path)
    yield* disk.syncFolder(dirname(path))
    return { file, ...after }
  })
  return yield* Effect.onError(made, () => Effect.ignore(disk.remove(draft)))
})
