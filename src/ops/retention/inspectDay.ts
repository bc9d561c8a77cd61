import { Effect } from "effect"
import { join } from "node:path"
import { Disk, type DiskError } from "../../journal/Disk.ts"
import { type ManifestLine, readManifest } from "../../journal/Manifest.ts"
import { readRetired, type RetiredDay } from "../../journal/RetiredDay.ts"
import { certificateFiles } from "../../journal/Signature.ts"

/** A sealed file as it lies on disk; `file` is relative to the data folder. */
export interface OldFile {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/** A day that may be deleted, as far as its own folder says. */
export interface OldDay {
  readonly day: string
  readonly files: ReadonlyArray<OldFile>
  readonly manifest: { readonly file: string; readonly bytes: number }
  /** The newest number of each node. */
  readonly lastSeqs: ReadonlyMap<string, number>
  readonly isCertified: boolean
  /** Its deletion has begun before. */
  readonly retired: RetiredDay | undefined
}

/** Why a day is left as it is, whatever its age; `undefined` where that will pass. */
export interface Left {
  readonly why: string | undefined
}

const digits = (width: number) => (name: string) => name.length === width && /^\d+$/.test(name)
const sealedAs = ({ bytes, file, gzip, sha256 }: ManifestLine) => gzip ?? { file, bytes, sha256 }

const left = (why?: string): Left => ({ why })

/** Whether a path below the data folder is made of folders alone: through a link nothing is ever deleted. */
const isOfFolders = Effect.fnUntraced(function* (dataDir: string, path: string) {
  const disk = yield* Disk
  const parts = path.split("/")
  for (let depth = 1; depth <= parts.length; depth++) {
    const found = yield* disk.identity(join(dataDir, ...parts.slice(0, depth)))
    if (found?.kind !== "folder") return false
  }
  return true
})

/**
 * Looks whether a day's folder holds nothing but what its manifest names, whole, and nobody works on it. A day that is
 * damaged is left: what is there still is all that there is.
 */
export const inspectDay = Effect.fnUntraced(function* (
  dataDir: string,
  day: string
): Effect.fn.Return<OldDay | Left, DiskError, Disk> {
  const disk = yield* Disk
  if (!(yield* isOfFolders(dataDir, day))) return left("it, or a folder above it, is a link")
  const retired = yield* readRetired(dataDir, day)
  const lines = yield* readManifest(dataDir, day)
  const wanted = new Map(lines.map((line) => [sealedAs(line).file, sealedAs(line)]))
  const files: Array<OldFile> = []
  for (const hour of (yield* disk.list(join(dataDir, day))).filter(digits(2))) {
    if (!(yield* isOfFolders(dataDir, `${day}/${hour}`))) return left(`${hour} in it is no folder`)
    for (const name of yield* disk.list(join(dataDir, day, hour))) {
      // Being written, or compressed.
      if (/\.(open|new)$/.test(name)) return left()
      const inDay = `${hour}/${name}`
      const found = yield* disk.identity(join(dataDir, day, inDay))
      const sealed = wanted.get(inDay)
      if (sealed === undefined) {
        // Both forms of a file are there for a moment; then the plain one goes.
        if (lines.some(({ file }) => file === inDay || `${file}.gz` === inDay)) return left()
        if (/\.jsonl(\.gz)?$/.test(name)) return left(`no manifest names ${inDay}`)
        continue
      }
      if (found?.kind !== "file") return left(`${inDay} is no file`)
      if ((yield* disk.size(join(dataDir, day, inDay))) !== sealed.bytes)
        return left(`${inDay} is not as long as it was sealed`)
      wanted.delete(inDay)
      files.push({ ...sealed, file: `${day}/${inDay}` })
    }
  }
  const [missing] = wanted.keys()
  if (missing !== undefined && retired === undefined) return left(`${missing} is missing`)
  const lastSeqs = new Map<string, number>()
  for (const { lastSeq, node } of lines) lastSeqs.set(node, Math.max(lastSeq, lastSeqs.get(node) ?? 0))
  const manifest = `${day}/MANIFEST.jsonl`
  return {
    day,
    files,
    manifest: { file: manifest, bytes: (yield* disk.size(join(dataDir, manifest))) ?? 0 },
    lastSeqs,
    isCertified: (yield* disk.size(join(dataDir, day, certificateFiles.json))) !== undefined,
    retired
  } satisfies OldDay
})
