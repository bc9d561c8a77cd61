import { Clock, Data, Effect, Result, Schema } from "effect"
import { mkdir, open, readdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { systemCode } from "../../domain/systemCode.ts"
import { FolderLock } from "../../journal/FolderLock.ts"
import { ManifestLine } from "../../journal/Manifest.ts"
import { parseSegmentName } from "../../journal/SegmentName.ts"
import type { BackupTarget, HashedFile, TargetFile } from "./BackupTarget.ts"
import type { DaySelection } from "./DaySelection.ts"
import { fileCall } from "./fileCall.ts"
import { hashFile } from "./hashFile.ts"
import { sealedForm } from "./inventory.ts"
import { endOrphan, OrphanNote } from "./orphan.ts"
import { batchesOf } from "./planSealed.ts"
import type { FilesProgress } from "../progressText.ts"

export interface RestoreOptions {
  readonly target: BackupTarget
  readonly selection: DaySelection
  readonly into: string
  /** Whether other content of these days may be replaced. */
  readonly overwrite: boolean
  /** Where a program that is running is noted, so that a killed restore leaves none; in `into` if not said. */
  readonly orphanNote?: string
  readonly onProgress?: (progress: FilesProgress) => Effect.Effect<void>
}

export interface RestoreReport {
  readonly days: ReadonlyArray<string>
  readonly files: number
  /** They were there before, and right. */
  readonly present: number
  readonly bytes: number
  /** What the target's lists name and the target has not, or not as they say; what no list names; days it has no list of. */
  readonly wrong: ReadonlyArray<{ readonly file: string; readonly reason: string }>
  readonly elapsed_ms: number
}

/** The folder has something else for these days. */
export class RestoreRefused extends Data.TaggedError("RestoreRefused")<{
  readonly into: string
  readonly files: ReadonlyArray<string>
}> {
  override get message() {
    const [first = ""] = this.files
    const more = this.files.length === 1 ? "" : ` and ${this.files.length - 1} files more`
    return `${join(this.into, first)}${more} would be replaced or left without its list: restore into another folder, or give --overwrite`
  }
}

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))
const drafts = ".restore"
const tick = "200 millis"

const orphanNoteOf = ({ into }: Pick<RestoreOptions, "into">) => join(into, ".restore-child.json")

const place = (root: string, file: string) => join(root, ...file.split("/"))

const readText = (path: string) =>
  Effect.promise(async () => {
    const handle = await open(path).catch(() => undefined)
    try {
      return (await handle?.readFile("utf8")) ?? ""
    } finally {
      await handle?.close()
    }
  })

/** Gives a file that was brought here its name, so that it survives a power cut. */
const settle = (draft: string, path: string) =>
  fileCall("write", path, async () => {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(draft, "r+")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
    if (process.platform === "win32") return
    const folder = await open(dirname(path), "r")
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  })

const dayOf = (file: string) => /^\d{4}\/\d{2}\/\d{2}(?=\/)/.exec(file)?.[0]

/** What another machine calls a file must not lead out of the folder. */
const isInside = (file: string) => !file.split("/").some((part) => part === ".." || part === "")

/** A sealed file's name in its other form, plain or compressed: of one record both may lie there, and one is named. */
const otherForm = (file: string) => (file.endsWith(".gz") ? file.slice(0, -3) : `${file}.gz`)

/** The files that a folder has for a day, hidden ones left out. */
const filesOf = (into: string, day: string) =>
  fileCall("list", join(into, day), async () => {
    const entries = await readdir(join(into, day), { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return []
      throw cause
    })
    return entries.flatMap((entry) => {
      const path = join(entry.parentPath, entry.name)
        .slice(into.length + 1)
        .split("\\")
        .join("/")
      return entry.isFile() && !/(^|\/)\./.test(path) ? [path] : []
    })
  })

interface Sealed extends HashedFile {
  readonly day: string
}

/**
 * Brings days back from a target: first the small files, whose lists say what there must be, then each sealed file, which
 * gets its name only when its hash is right, and the lists last. One that was ended goes on. Nothing is written before it
 * is known that nothing else would be lost by it, and never into a folder that an observer is using.
 */
export const restore = Effect.fn("Backup.restore")(function* (options: RestoreOptions) {
  const { into, onProgress, orphanNote = orphanNoteOf(options), overwrite, selection, target } = options
  const startedAtMs = yield* Clock.currentTimeMillis
  yield* FolderLock.acquire(into, "restore")
  yield* endOrphan(orphanNote)
  yield* target.prepare
  const wrong: Array<RestoreReport["wrong"][number]> = []
  const progress = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0 }
  const onBytes = (bytes: number) => void (progress.bytes += bytes)
  const draftsDir = join(into, drafts)

  const all = yield* Effect.provideService(target.list(selection.named), OrphanNote, orphanNote)
  const there = all.filter(({ file }) => {
    const day = dayOf(file)
    return (
      isInside(file) && !file.endsWith("/RETIRED.json") && (day === undefined ? selection.isAll : selection.has(day))
    )
  })
  const lengths = new Map(there.map(({ bytes, file }) => [file, bytes]))
  const isSegment = (file: string) => parseSegmentName(file) !== undefined
  const isList = (file: string) => /\/(MANIFEST\.jsonl|SHA256SUMS)$/.test(file)
  const small = there.filter(({ file }) => !isSegment(file))
  const days = [...new Set(there.flatMap(({ file }) => dayOf(file) ?? []))].toSorted()
  if (there.length === 0 && selection.named === undefined) {
    wrong.push({ file: target.name, reason: "there is nothing of an observer" })
  }
  for (const day of selection.named ?? []) {
    if (!days.includes(day)) wrong.push({ file: day, reason: "the target has nothing of this day" })
  }

  const fetch = Effect.fnUntraced(function* (files: ReadonlyArray<TargetFile>) {
    if (files.length === 0) return undefined
    yield* fileCall("make folder", draftsDir, () => mkdir(draftsDir, { recursive: true }))
    return yield* target
      .fetch(draftsDir, files, onBytes)
      .pipe(
        Effect.retry({ times: 2, while: ({ retryable }) => retryable }),
        Effect.provideService(OrphanNote, orphanNote)
      )
  })

  /** What the lists of the target say of a day's files. */
  const sealedOf = Effect.fnUntraced(function* (day: string) {
    const text = yield* readText(place(draftsDir, `${day}/MANIFEST.jsonl`))
    if (!lengths.has(`${day}/MANIFEST.jsonl`))
      wrong.push({ file: `${day}/MANIFEST.jsonl`, reason: "it is not at the target" })
    const sums = new Map<string, string>(
      (yield* readText(place(draftsDir, `${day}/SHA256SUMS`)))
        .split("\n")
        .flatMap((line) =>
          /^[0-9a-f]{64} {2}/.test(line) ? [[`${day}/${line.slice(66)}`, line.slice(0, 64)] as const] : []
        )
    )
    const lines = text.split("\n").filter((line) => line !== "")
    const sealed = lines.flatMap((line): ReadonlyArray<Sealed> => {
      const read = decode(line)
      if (Result.isFailure(read)) return []
      const file = sealedForm(day, read.success)
      return parseSegmentName(file.file) !== undefined && isInside(file.file) ? [file] : []
    })
    const unread = lines.length - sealed.length
    if (unread > 0)
      wrong.push({ file: `${day}/MANIFEST.jsonl`, reason: `${unread} of its lines are none of a manifest` })
    for (const { file, sha256 } of sealed) {
      if (sums.get(file) !== sha256)
        wrong.push({ file: `${day}/SHA256SUMS`, reason: `it does not say the same of ${file} as the manifest` })
    }
    return sealed
  })

  /** Files here that would be replaced by others, or that no list would name any more. */
  const conflicts = Effect.fnUntraced(function* (expected: ReadonlyMap<string, string>) {
    const found: Array<string> = []
    for (const day of days) {
      for (const file of yield* filesOf(into, day)) {
        const sha256 = expected.get(file)
        const is = sha256 === undefined ? undefined : yield* hashFile(place(into, file))
        if (is?.sha256 !== sha256 || (sha256 === undefined && isSegment(file))) found.push(file)
      }
    }
    return found
  })

  const bring = Effect.fnUntraced(function* (batch: ReadonlyArray<Sealed>) {
    const toFetch: Array<Sealed> = []
    let present = 0
    for (const each of batch) {
      const is = yield* hashFile(place(into, each.file))
      if (is?.sha256 === each.sha256) {
        present += 1
        progress.files += 1
        onBytes(each.bytes)
      } else if (lengths.has(each.file)) toFetch.push(each)
      else wrong.push({ file: each.file, reason: "the lists name it, and it is not at the target" })
    }
    let wanted = toFetch
    let complaint: string | undefined
    // What an ended restore has left may be of another file.
    for (let attempts = 0; attempts < 2 && wanted.length > 0; attempts++) {
      complaint = yield* fetch(wanted)
      const bad: Array<Sealed> = []
      for (const each of wanted) {
        const draft = place(draftsDir, each.file)
        if ((yield* hashFile(draft))?.sha256 === each.sha256) {
          yield* settle(draft, place(into, each.file))
          progress.files += 1
        } else {
          bad.push(each)
          yield* fileCall("remove", draft, () => rm(draft, { force: true }))
        }
      }
      wanted = bad
    }
    for (const { file } of wanted) {
      const reason = "its content at the target is not what was sealed"
      wrong.push({ file, reason: complaint === undefined ? reason : `${reason}: ${complaint}` })
    }
    return present
  })

  const work = Effect.gen(function* () {
    progress.bytesTotal = there.reduce((sum, { bytes }) => sum + bytes, 0)
    progress.filesTotal = there.length
    yield* fetch(small)
    const sealed = yield* Effect.map(Effect.forEach(days, sealedOf), (each) => each.flat())
    const expected = new Map(sealed.map(({ file, sha256 }) => [file, sha256]))
    for (const { file } of there) {
      if (!isSegment(file) || expected.has(file) || expected.has(otherForm(file))) continue
      wrong.push({ file, reason: "it is at the target and no list there names it, so it was not brought back" })
    }
    for (const { file } of small) {
      const hash = yield* hashFile(place(draftsDir, file))
      if (hash === undefined) wrong.push({ file, reason: "it did not arrive" })
      else expected.set(file, hash.sha256)
    }
    const others = overwrite ? [] : yield* conflicts(expected)
    if (others.length > 0) return yield* new RestoreRefused({ into, files: others })
    let present = 0
    for (const batch of batchesOf(sealed)) present += yield* bring(batch)
    for (const { file } of small.toSorted((a, b) => Number(isList(a.file)) - Number(isList(b.file)))) {
      if (!expected.has(file)) continue
      yield* settle(place(draftsDir, file), place(into, file))
      progress.files += 1
    }
    const files = sealed.length + small.length
    const bytes = [...sealed, ...small].reduce((sum, each) => sum + each.bytes, 0)
    // A day that is back is not retired any more: what goes missing of it from now on is damage.
    const isWhole = (day: string) => !wrong.some(({ file }) => file.startsWith(day))
    for (const day of days.filter(isWhole)) {
      const path = place(into, `${day}/RETIRED.json`)
      yield* fileCall("remove", path, () => rm(path, { force: true }))
    }
    yield* fileCall("remove", draftsDir, () => rm(draftsDir, { recursive: true, force: true }))
    return { days, files, present, bytes, wrong }
  })
  const told = Effect.suspend(() => onProgress?.({ ...progress }) ?? Effect.void)
  const telling = Effect.forever(Effect.andThen(Effect.sleep(tick), told))
  const done = yield* onProgress === undefined ? work : Effect.raceFirst(work, telling)
  return { ...done, elapsed_ms: (yield* Clock.currentTimeMillis) - startedAtMs } satisfies RestoreReport
}, Effect.scoped)
