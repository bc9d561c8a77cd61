import { Effect, Result, Schema } from "effect"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { ManifestLine } from "../../journal/Manifest.ts"
import { type BackupTarget, TargetError, type TargetFile } from "./BackupTarget.ts"
import { sealedForm } from "./inventory.ts"
import type { Lists } from "./snapshot.ts"

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))
/** Of more days than this everything at the target is listed at once. */
const named_days_max = 50

/** What a target has of some days: the manifests it has itself, by day, and the files. */
export interface Theirs {
  readonly manifests: ReadonlyMap<string, string>
  readonly files: ReadonlyArray<TargetFile>
}

/**
 * Adds to the lists of a day the lines of the target's own manifest whose files lie there and which ours do not name: a
 * data folder that was lost, or a receipt that was revoked, must not take good copies out of the lists.
 *
 * @param isHeld whether the target has a file, in this form and length
 */
export const mergeLists = (
  day: string,
  ours: Lists,
  theirManifest: string,
  isHeld: (file: TargetFile) => boolean
): Lists => {
  const read = (text: string) =>
    text.split("\n").flatMap((line) => {
      const decoded = decode(line)
      return Result.isFailure(decoded)
        ? []
        : [{ line, file: decoded.success.file, sealed: sealedForm(day, decoded.success) }]
    })
  const named = new Set(read(ours.manifest).map(({ file }) => file))
  const kept = read(theirManifest).filter(({ file, sealed }) => !named.has(file) && isHeld(sealed))
  const sums = kept.map(({ sealed }) => `${sealed.sha256}  ${sealed.file.slice(day.length + 1)}\n`)
  return {
    manifest: kept.map(({ line }) => `${line}\n`).join("") + ours.manifest,
    sums: sums.filter((line) => !ours.sums.includes(line)).join("") + ours.sums
  }
}

/**
 * Asks a target for the lists it has of some days. A list that is there and cannot be had is a failure: nothing may then be
 * put in its place.
 *
 * @param scratch a folder that may be used
 */
export const listsThere = Effect.fnUntraced(function* (
  target: BackupTarget,
  days: ReadonlyArray<string>,
  scratch: string
) {
  if (days.length === 0) return { manifests: new Map(), files: [] } satisfies Theirs
  const files = yield* target.list(days.length > named_days_max ? undefined : days)
  const wanted = new Set(days.map((day) => `${day}/MANIFEST.jsonl`))
  const lists = files.filter(({ file }) => wanted.has(file))
  const folder = join(scratch, "lists")
  const complaint = lists.length === 0 ? undefined : yield* target.fetch(folder, lists, () => undefined)
  const manifests = new Map<string, string>()
  for (const { bytes, file } of lists) {
    const text = yield* Effect.promise(() => readFile(join(folder, ...file.split("/"))).catch(() => undefined))
    if (text?.length !== bytes) {
      const detail = `${file} cannot be had from it${complaint === undefined ? "" : `: ${complaint}`}`
      return yield* new TargetError({ target: target.name, reason: "failed", detail })
    }
    manifests.set(file.slice(0, file.lastIndexOf("/")), text.toString("utf8"))
  }
  yield* Effect.promise(() => rm(folder, { recursive: true, force: true }))
  return { manifests, files } satisfies Theirs
})
