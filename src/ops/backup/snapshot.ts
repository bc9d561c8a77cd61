import { Effect, Result, Schema } from "effect"
import { copyFile, link, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { systemCode } from "../../domain/systemCode.ts"
import { ManifestLine } from "../../journal/Manifest.ts"
import type { HashedFile } from "./BackupTarget.ts"
import { fileCall } from "./fileCall.ts"
import { hashFile } from "./hashFile.ts"
import { type OtherFile, sealedForm } from "./inventory.ts"

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ManifestLine))

const wholeLines = (text: string): ReadonlyArray<string> =>
  text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)

/** Both lists of a day, of one moment, and without the files that are not at the target: there, too, `sha256sum -c` finds all it looks for. */
export interface Lists {
  readonly manifest: string
  readonly sums: string
}

/**
 * Cuts the lists of a day down to what the target has.
 *
 * @param isThere whether a file, in this form, has its receipt
 */
export const listsFor = (day: string, texts: Lists, isThere: (file: HashedFile) => boolean): Lists => {
  const sums = wholeLines(texts.sums)
  const known = new Set(sums)
  const left = new Set<string>()
  const manifest = wholeLines(texts.manifest).filter((line) => {
    const read = decode(line)
    if (Result.isFailure(read)) return true
    const sealed = sealedForm(day, read.success)
    const name = sealed.file.slice(day.length + 1)
    if (isThere(sealed) && known.has(`${sealed.sha256}  ${name}`)) return true
    left.add(read.success.file).add(name)
    return false
  })
  const nameOf = (line: string) => line.slice(66)
  const text = (lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
  return { manifest: text(manifest), sums: text(sums.filter((line) => !left.has(nameOf(line)))) }
}

const place = (root: string, file: string) => join(root, ...file.split("/"))

const putText = (root: string, file: string, text: string) =>
  fileCall("copy", file, async () => {
    await mkdir(dirname(place(root, file)), { recursive: true })
    await writeFile(place(root, file), text)
  })

const readText = (path: string) =>
  fileCall("copy", path, () =>
    readFile(path, "utf8").catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return ""
      throw cause
    })
  )

/** The lists of a day as they are here, cut down; `undefined` for a day that has none of its files there yet. */
export const listsHere = Effect.fnUntraced(function* (
  dataDir: string,
  day: string,
  isThere: (file: HashedFile) => boolean
) {
  const path = (name: string) => join(dataDir, day, name)
  const manifest = yield* readText(path("MANIFEST.jsonl"))
  const sums = yield* readText(path("SHA256SUMS"))
  const lists = listsFor(day, { manifest, sums }, isThere)
  return lists.manifest === "" ? undefined : lists
})

/** Lays the lists of a day into a snapshot. */
export const putLists = Effect.fnUntraced(function* (root: string, day: string, { manifest, sums }: Lists) {
  yield* putText(root, `${day}/MANIFEST.jsonl`, manifest)
  yield* putText(root, `${day}/SHA256SUMS`, sums)
})

/** Copies a file that may change, as it is now; a log that is being written ends with a whole line. A file that is gone is left out. */
export const snapshotFile = (root: string, { file, path }: OtherFile) =>
  fileCall("copy", path, async () => {
    const to = place(root, file)
    await mkdir(dirname(to), { recursive: true })
    await rm(to, { force: true })
    try {
      if (file === "logs/observer.log") {
        const bytes = await readFile(path)
        await writeFile(to, bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1))
      } else if (file.startsWith("logs/")) await link(path, to).catch(() => copyFile(path, to))
      else await copyFile(path, to)
    } catch (cause) {
      if (systemCode(cause) !== "ENOENT") throw cause
    }
  })

/** What of some files lies in a snapshot, with their hashes. */
export const snapshotHashes = Effect.fnUntraced(function* (root: string, files: ReadonlyArray<string>) {
  const found: Array<HashedFile> = []
  for (const file of files) {
    const hash = yield* hashFile(place(root, file))
    if (hash !== undefined) found.push({ file, ...hash })
  }
  return found
})
