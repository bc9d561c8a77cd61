import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { ManifestLine } from "../Manifest.ts"
import { readRetired, type RetiredDay } from "../RetiredDay.ts"
import { readWhole } from "../wholeFile.ts"
import { fromBackup, type Problem } from "./Problem.ts"

/** What a day's folder says of its files: the manifest and the checksums, as far as they can be read. */
export interface DayLists {
  readonly day: string
  readonly manifest: ReadonlyMap<string, ManifestLine>
  /** The hash that `SHA256SUMS` has of a file, by the name of the file as it lies on disk. */
  readonly sums: ReadonlyMap<string, string>
  readonly problems: ReadonlyArray<Problem>
  /** Says that files of it were deleted on purpose. */
  readonly retired: RetiredDay | undefined
}

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))
const sumLine = /^([0-9a-f]{64}) {2}(\S.*)$/

/** The name on disk and the hash that a line of the manifest calls for. */
export const sealedAs = ({ file, gzip, sha256 }: ManifestLine) => gzip ?? { file, sha256 }

const linesOf = (text: string) => text.split("\n").slice(0, -1)

/** Reads both lists of a day (`YYYY/MM/DD`) and holds them against each other. */
export const readLists = Effect.fn("verify.lists")(function* (dataDir: string, day: string) {
  const manifestFile = `${day}/MANIFEST.jsonl`
  const sumsFile = `${day}/SHA256SUMS`
  const manifestText = yield* readWhole(join(dataDir, manifestFile))
  const sumsText = yield* readWhole(join(dataDir, sumsFile))
  const problems: Array<Problem> = []
  const manifest = new Map<string, ManifestLine>()
  const sums = new Map<string, string>()
  const wrong = (kind: "manifest" | "checksums", problem: string) => {
    const file = kind === "manifest" ? manifestFile : sumsFile
    problems.push({ kind, file, problem, remedy: fromBackup(file) })
  }

  for (const [index, text] of linesOf(manifestText ?? "").entries()) {
    const line = Result.getOrUndefined(decode(text))
    if (line === undefined) wrong("manifest", `line ${index + 1} is not a line of a manifest`)
    else if (manifest.has(line.file)) wrong("manifest", `it names ${line.file} twice`)
    else manifest.set(line.file, line)
  }
  for (const [index, text] of linesOf(sumsText ?? "").entries()) {
    const [, sha256, file] = sumLine.exec(text) ?? []
    if (sha256 === undefined || file === undefined) wrong("checksums", `line ${index + 1} is not a checksum`)
    else if (sums.has(file)) wrong("checksums", `it names ${file} twice`)
    else sums.set(file, sha256)
  }
  const torn = [
    ["manifest", manifestText],
    ["checksums", sumsText]
  ] as const
  for (const [kind, text] of torn) {
    if (text !== undefined && text !== "" && !text.endsWith("\n")) wrong(kind, "its last line is cut off")
  }

  const listed = new Set<string>()
  for (const line of manifest.values()) {
    const { file } = sealedAs(line)
    listed.add(file)
    // Killed between the two lists, the compressor leaves the plain file's checksum, which is right, until the next start.
    const isPlainStill = line.gzip !== undefined && sums.get(line.file) === line.sha256
    if (isPlainStill) listed.add(line.file)
    if (!sums.has(file) && !isPlainStill) wrong("checksums", `it has no line for ${file}, which the manifest names`)
  }
  for (const file of sums.keys()) {
    if (!listed.has(file)) wrong("manifest", `it has no line for ${file}, which SHA256SUMS names`)
  }
  const retired = yield* readRetired(dataDir, day)
  return { day, manifest, sums, problems, retired } satisfies DayLists
})
