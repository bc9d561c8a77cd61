import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { Disk } from "./Disk.ts"

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

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))

const manifestOf = (dataDir: string, day: string) => join(dataDir, day, "MANIFEST.jsonl")
const sumsOf = (dataDir: string, day: string) => join(dataDir, day, "SHA256SUMS")

const readText = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const size = yield* disk.size(path)
  return size === undefined ? "" : Buffer.from(yield* disk.readAt(path, 0, size)).toString("utf8")
})

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
  if (!sums.includes(`  ${line.file}\n`)) yield* disk.appendLine(sumsOf(dataDir, day), `${line.sha256}  ${line.file}`)
  yield* disk.syncFolder(join(dataDir, day))
})

/** The manifest's line of a sealed file, if the file stands in both lists of its day. */
export const findEntered = Effect.fnUntraced(function* (dataDir: string, day: string, file: string) {
  const sums = yield* readText(sumsOf(dataDir, day))
  if (!sums.includes(`  ${file}\n`)) return undefined
  return (yield* readManifest(dataDir, day)).find((line) => line.file === file)
})
