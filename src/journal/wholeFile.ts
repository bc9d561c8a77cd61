import { Effect } from "effect"
import { join } from "node:path"
import { Disk } from "./Disk.ts"

/** Puts a small file in the place of the one before it, so that at any moment, power cuts included, one of the two is there whole. */
export const replaceWhole = Effect.fnUntraced(function* (folder: string, name: string, bytes: Uint8Array) {
  const disk = yield* Disk
  const path = join(folder, name)
  yield* disk.writeWhole(`${path}.new`, bytes)
  yield* disk.rename(`${path}.new`, path)
  yield* disk.syncFolder(folder)
})

/** The text of a small file; `undefined` when it is not there. */
export const readWhole = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const size = yield* disk.size(path)
  return size === undefined ? undefined : Buffer.from(yield* disk.readAt(path, 0, size)).toString("utf8")
})
