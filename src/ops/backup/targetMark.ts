import { Effect } from "effect"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type BackupTarget, TargetError } from "./BackupTarget.ts"
import { fileCall } from "./fileCall.ts"

/** Lies at a target that has been backed up to: a mount point without its disk has none. */
const mark = ".observer-backup"
const text = "observer\n"
const files = [{ file: mark, bytes: text.length }]

/**
 * `own` where a backup has left it. An empty one was made by hand: this is a new place under an old name, and the receipts
 * are of another.
 */
export type Mark = "none" | "own" | "new"

const inFolder = <A, E>(scratch: string, use: (folder: string) => Effect.Effect<A, E>) => {
  const folder = join(scratch, "mark")
  return Effect.acquireUseRelease(
    fileCall("make folder", folder, async () => {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
    }),
    () => use(folder),
    () => Effect.promise(() => rm(folder, { recursive: true, force: true }).catch(() => undefined))
  )
}

/** @param scratch a folder that may be used */
export const readMark = (target: BackupTarget, scratch: string) =>
  inFolder(scratch, (folder) =>
    Effect.gen(function* () {
      yield* target.fetch(folder, files, () => undefined)
      const found = yield* Effect.promise(() => readFile(join(folder, mark), "utf8").catch(() => undefined))
      return (found === undefined ? "none" : found.trim() === "" ? "new" : "own") as Mark
    })
  )

/** @param scratch a folder that may be used */
export const leaveMark = (target: BackupTarget, scratch: string) =>
  inFolder(scratch, (folder) =>
    Effect.gen(function* () {
      yield* fileCall("write", join(folder, mark), () => writeFile(join(folder, mark), text))
      const complaint = yield* target.send(folder, files, { again: true, onBytes: () => undefined })
      if (complaint === undefined) return
      return yield* new TargetError({ target: target.name, reason: "refused", detail: complaint })
    })
  )

/** What is wrong with a place that has no mark, though there is word of files there. */
export const unmarked = ({ name: target }: BackupTarget) =>
  new TargetError({
    target,
    reason: "refused",
    detail: `it has no ${mark}, though files were backed up there: mount the disk; if this is a new one, make that file there, empty, and run observer backup --verify`
  })

const unverified = ({ name: target }: BackupTarget) =>
  new TargetError({
    target,
    reason: "refused",
    detail: `its ${mark} is empty, as that of a new place: run observer backup --verify, which finds what is not there`
  })

/**
 * Fails unless a target that was backed up to has its mark.
 *
 * @param scratch a folder that may be used
 */
export const needMark = Effect.fnUntraced(function* (target: BackupTarget, scratch: string) {
  const found = yield* readMark(target, scratch)
  if (found !== "own") return yield* found === "none" ? unmarked(target) : unverified(target)
})
