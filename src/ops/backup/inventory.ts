import { Effect } from "effect"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { Disk, type DiskError } from "../../journal/Disk.ts"
import { type ManifestLine, readManifest } from "../../journal/Manifest.ts"
import { readRetired } from "../../journal/RetiredDay.ts"
import { parseSegmentName } from "../../journal/SegmentName.ts"
import { listDays } from "../../journal/Segments.ts"
import { fileCall } from "./fileCall.ts"
import type { DaySelection } from "./DaySelection.ts"

/** A sealed file in the form in which it lies on the disk. */
export interface SealedFile {
  readonly file: string
  readonly day: string
  readonly bytes: number
  readonly sha256: string
  readonly sealedAtMs: number
  readonly isPacked: boolean
}

export const otherKinds = ["lists", "certificates", "universes", "quarantine", "logs", "others"] as const
export type OtherKind = (typeof otherKinds)[number]

/** Any other file: it may change, or nobody has written down what it holds. */
export interface OtherFile {
  readonly kind: OtherKind
  readonly file: string
  /** On this machine. */
  readonly path: string
}

/** What a sealed file is called and hashed as, by its manifest's line. */
export const sealedForm = (day: string, line: ManifestLine): SealedFile => {
  const { bytes, file, sha256 } = line.gzip ?? line
  const sealedAtMs = Date.parse(line.sealedAt)
  return { file: `${day}/${file}`, day, bytes, sha256, sealedAtMs, isPacked: line.gzip !== undefined }
}

/** What the manifests of some days name. */
export interface SealedFiles {
  readonly files: ReadonlyArray<SealedFile>
  /** Files of retired days that are not on the disk any more: there is nothing to be sent. */
  readonly retired: ReadonlyArray<SealedFile>
}

interface ReadDay extends SealedFiles {
  readonly stamp: string
}

/** Tells the files of a retired day that are still, or again, here from those that are gone. */
const splitRetired = Effect.fnUntraced(function* (dataDir: string, named: ReadonlyArray<SealedFile>) {
  const disk = yield* Disk
  const [files, retired]: [Array<SealedFile>, Array<SealedFile>] = [[], []]
  for (const each of named) ((yield* disk.size(join(dataDir, each.file))) === undefined ? retired : files).push(each)
  return { files, retired } satisfies SealedFiles
})

/** Reads the manifests of an archive; those that have not changed are remembered. */
export const makeSealedFiles = (dataDir: string) => {
  const days = new Map<string, ReadDay>()
  const stampOf = (path: string) =>
    fileCall("look at", path, () => stat(path)).pipe(
      Effect.map(({ ino, mtimeMs, size }) => `${ino} ${size} ${mtimeMs}`),
      Effect.catchIf(
        ({ code }) => code === "ENOENT",
        () => Effect.succeed("none")
      )
    )
  return Effect.fnUntraced(function* (selection: DaySelection) {
    const [files, retired]: [Array<SealedFile>, Array<SealedFile>] = [[], []]
    const there = yield* listDays(dataDir)
    for (const day of there) {
      if (!selection.has(day)) continue
      const retiredAt = yield* stampOf(join(dataDir, day, "RETIRED.json"))
      // The folders of its hours go with the files, and come back with them.
      const folder = retiredAt === "none" ? "" : yield* stampOf(join(dataDir, day))
      const stamp = [yield* stampOf(join(dataDir, day, "MANIFEST.jsonl")), retiredAt, folder].join(" ")
      let known = days.get(day)
      if (known?.stamp !== stamp) {
        const named = (yield* readManifest(dataDir, day)).map((line) => sealedForm(day, line))
        const isRetired = (yield* readRetired(dataDir, day)) !== undefined
        known = { stamp, ...(isRetired ? yield* splitRetired(dataDir, named) : { files: named, retired: [] }) }
        // One that still has files is looked at again: they go one by one.
        if (isRetired && known.files.length > 0) days.delete(day)
        else days.set(day, known)
      }
      files.push(...known.files)
      retired.push(...known.retired)
    }
    for (const day of days.keys()) if (!there.includes(day)) days.delete(day)
    return { files, retired } satisfies SealedFiles
  })
}

const kindOf = (name: string): OtherKind =>
  name === "MANIFEST.jsonl" || name === "SHA256SUMS"
    ? "lists"
    : name.startsWith("CERTIFICATE.")
      ? "certificates"
      : /^universe-.*\.json$/.test(name)
        ? "universes"
        : "others"

/** What is being written, or is a draft. */
const isUnfinished = (name: string): boolean => name.startsWith(".") || /\.(open|new|part|tmp)$/.test(name)
const depth_max = 6

/** Files below a folder of the disk, by their path from it; hidden and unfinished ones left out. */
const walk: (root: string, depth?: number) => Effect.Effect<ReadonlyArray<string>, DiskError, Disk> = Effect.fnUntraced(
  function* (root: string, depth = 0) {
    const disk = yield* Disk
    const found: Array<string> = []
    for (const name of (yield* disk.list(root)).filter((each) => !isUnfinished(each))) {
      const below = yield* walk(join(root, name), depth + 1).pipe(
        Effect.catchIf(
          ({ code }) => code === "ENOTDIR",
          () => Effect.undefined
        )
      )
      if (below === undefined) found.push(name)
      else if (depth < depth_max) found.push(...below.map((each) => `${name}/${each}`))
    }
    return found
  }
)

/**
 * Everything to be copied that is not a sealed file, what is being written left out: lists, certificates and universes of
 * the days; with all days also quarantine and logs. Never anything of the state folder.
 */
export const otherFiles = Effect.fnUntraced(function* (dataDir: string, logDir: string, selection: DaySelection) {
  const found: Array<OtherFile> = []
  for (const day of yield* listDays(dataDir)) {
    if (!selection.has(day)) continue
    for (const name of yield* walk(join(dataDir, day))) {
      const file = `${day}/${name}`
      // What is deleted here is so here alone: brought back with the rest, it would excuse what is missing then.
      if (name === "RETIRED.json") continue
      // A file of the journal is one of its manifest, or is about to be.
      if (parseSegmentName(file) === undefined) found.push({ kind: kindOf(name), file, path: join(dataDir, file) })
    }
  }
  if (!selection.isAll) return found
  for (const name of yield* walk(join(dataDir, "quarantine"))) {
    found.push({ kind: "quarantine", file: `quarantine/${name}`, path: join(dataDir, "quarantine", name) })
  }
  const disk = yield* Disk
  for (const name of yield* disk.list(logDir)) {
    if (/^observer(-\d{8}-\d+)?\.log$/.test(name))
      found.push({ kind: "logs", file: `logs/${name}`, path: join(logDir, name) })
  }
  return found
})
