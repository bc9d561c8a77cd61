import { Effect, Result, Schema } from "effect"
import { basename, dirname, join } from "node:path"
import { Disk } from "./Disk.ts"
import { gzipSuffix } from "./SegmentName.ts"
import { readWhole, replaceWhole } from "./wholeFile.ts"

/**
 * One line of a day's `MANIFEST.jsonl`: a sealed file. `file` is relative to the day's folder, as in `SHA256SUMS`. Once it
 * has been compressed only the file that `gzip` names is there, and `bytes` and `sha256` are those of its content.
 */
export const ManifestLine = Schema.Struct({
  file: Schema.String,
  node: Schema.String,
  firstSeq: Schema.Int,
  lastSeq: Schema.Int,
  lines: Schema.Int,
  bytes: Schema.Int,
  sha256: Schema.String,
  firstReceivedAt: Schema.String,
  lastReceivedAt: Schema.String,
  sealedAt: Schema.String,
  gzip: Schema.optionalKey(Schema.Struct({ file: Schema.String, bytes: Schema.Int, sha256: Schema.String }))
})
export type ManifestLine = typeof ManifestLine.Type

/** A compressed file as it lies on disk: its name in the day's folder, its length and its hash. */
export type CompressedFile = NonNullable<ManifestLine["gzip"]>

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))

const manifestOf = (dataDir: string, day: string) => join(dataDir, day, "MANIFEST.jsonl")
const sumsOf = (dataDir: string, day: string) => join(dataDir, day, "SHA256SUMS")

const readText = (path: string) => Effect.map(readWhole(path), (text) => text ?? "")

/** Cuts off a last line that a crash left without its newline; the next append would otherwise be glued to it. */
const dropTornLine = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const text = yield* readText(path)
  const kept = text.slice(0, text.lastIndexOf("\n") + 1)
  if (kept.length !== text.length) yield* disk.truncate(path, Buffer.byteLength(kept))
  return kept
})

/** The sealed files that a day's manifest names; lines that are not manifest lines are passed over. */
export const readManifest = Effect.fnUntraced(function* (dataDir: string, day: string) {
  const lines = (yield* readText(manifestOf(dataDir, day))).split("\n")
  return lines.flatMap((line) => {
    const decoded = decode(line)
    return Result.isSuccess(decoded) ? [decoded.success] : []
  })
})

/** Enters a sealed file into the day's manifest and checksums. Entering it again changes nothing, so a crash between the two is mended by repeating. */
export const enter = Effect.fnUntraced(function* (dataDir: string, day: string, line: ManifestLine) {
  const disk = yield* Disk
  const manifest = yield* dropTornLine(manifestOf(dataDir, day))
  if (!manifest.includes(`"file":${JSON.stringify(line.file)},`)) {
    yield* disk.appendLine(manifestOf(dataDir, day), JSON.stringify(line))
  }
  const sums = yield* dropTornLine(sumsOf(dataDir, day))
  const { file, sha256 } = line.gzip ?? line
  if (!sums.includes(`  ${file}\n`)) yield* disk.appendLine(sumsOf(dataDir, day), `${sha256}  ${file}`)
  yield* disk.syncFolder(join(dataDir, day))
})

/** The manifest's line of a sealed file, if the file stands in both lists of its day. */
export const findEntered = Effect.fnUntraced(function* (dataDir: string, day: string, file: string) {
  const sums = yield* readText(sumsOf(dataDir, day))
  if (!sums.includes(`  ${file}\n`) && !sums.includes(`  ${file}${gzipSuffix}\n`)) return undefined
  return (yield* readManifest(dataDir, day)).find((line) => line.file === file)
})

/** Puts changed lines into the place of a list of a day; whoever reads it has the old one or the new one whole. */
const rewrite = Effect.fnUntraced(function* (path: string, change: (line: string) => string) {
  const before = yield* readText(path)
  const after = before.split("\n").map(change).join("\n")
  if (after !== before) yield* replaceWhole(dirname(path), basename(path), Buffer.from(after))
})

/**
 * Enters the compressed form of a sealed file in the place of the plain one, and then removes the plain one. Every step
 * leaves a day that can be read and checked, and repeating all of them finishes what a crash interrupted. Does nothing
 * for a file that the manifest does not know by this content.
 *
 * @param sealed the manifest's line whose content the compressed file has been found to hold
 */
export const enterCompressed = Effect.fnUntraced(function* (
  dataDir: string,
  day: string,
  sealed: ManifestLine,
  gzip: CompressedFile
) {
  const disk = yield* Disk
  const isSealed = (line: ManifestLine) => line.file === sealed.file && line.sha256 === sealed.sha256
  if (!(yield* readManifest(dataDir, day)).some(isSealed)) return
  yield* rewrite(manifestOf(dataDir, day), (text) => {
    const decoded = decode(text)
    return Result.isSuccess(decoded) && isSealed(decoded.success) ? JSON.stringify({ ...decoded.success, gzip }) : text
  })
  const named = (text: string) => text.endsWith(`  ${sealed.file}`) || text.endsWith(`  ${gzip.file}`)
  yield* rewrite(sumsOf(dataDir, day), (text) => (named(text) ? `${gzip.sha256}  ${gzip.file}` : text))
  const path = join(dataDir, day, sealed.file)
  yield* disk.remove(path)
  yield* disk.syncFolder(dirname(path))
})
