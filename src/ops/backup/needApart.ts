import { Effect } from "effect"
import { realpath, stat } from "node:fs/promises"
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path"
import { type BackupTarget, TargetError } from "./BackupTarget.ts"

/** Whether one of two folders lies in the other, or is it. */
const areNested = (one: string, other: string): boolean => {
  const isBelow = (from: string, to: string) => {
    const way = relative(from, to)
    return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)
  }
  return isBelow(one, other) || isBelow(other, one)
}

/** A path without links, of which the end need not be there. */
const realOf = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await realOf(parent), basename(path))
  }
}

/** A disk that does not answer is not waited for. */
const look_limit = "20 seconds"

/** Refuses targets of this machine that are not there, or would copy a folder into itself, whatever way leads there. */
export const needApart = Effect.fnUntraced(function* (
  { localPath, name: target }: BackupTarget,
  folders: ReadonlyArray<string>
) {
  if (localPath === undefined) return
  const failure = (reason: "refused" | "silent", detail: string) => new TargetError({ target, reason, detail })
  const look = Effect.promise(async () => {
    const path = resolve(localPath)
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false
    )
    const place = await realOf(path)
    for (const folder of folders) if (areNested(await realOf(resolve(folder)), place)) return { isThere, folder }
    return { isThere, folder: undefined }
  })
  const { folder, isThere } = yield* Effect.timeoutOrElse(look, {
    duration: look_limit,
    orElse: () =>
      Effect.fail(failure("silent", "the disk does not answer: see whether the share and its server are there"))
  })
  if (folder !== undefined)
    return yield* failure("refused", `it and ${folder} lie in one another: name a folder on another disk`)
  if (!isThere)
    return yield* failure("refused", "there is no such folder: mount the disk, or make the folder; it is not made here")
})
