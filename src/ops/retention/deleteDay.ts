import { Effect } from "effect"
import { dirname, join } from "node:path"
import { Disk } from "../../journal/Disk.ts"
import { type RetiredDay, writeRetired } from "../../journal/RetiredDay.ts"
import type { OldDay } from "./inspectDay.ts"
import { inReserve } from "./reserve.ts"

/**
 * Deletes the files of a day's records, and the folders of its hours once they are empty. That they go on purpose is on disk
 * before the first of them does; repeating it finishes what a crash interrupted. Lists, universes and the certificate stay.
 */
export const deleteDay = Effect.fnUntraced(function* (
  dataDir: string,
  { day, files, retired }: OldDay,
  { backedUp, nowMs }: { readonly nowMs: number; readonly backedUp: boolean }
) {
  const disk = yield* Disk
  // One that was brought back after its deletion was over is deleted as any other.
  const begun: RetiredDay =
    retired !== undefined && retired.finishedAt === undefined
      ? retired
      : {
          v: 1,
          day: day.replaceAll("/", "-"),
          at: new Date(nowMs).toISOString(),
          files: files.length,
          bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
          backedUp
        }
  if (begun !== retired) yield* inReserve(dataDir, writeRetired(dataDir, day, begun))
  for (const { file } of files) yield* disk.remove(join(dataDir, file))
  for (const hour of yield* disk.list(join(dataDir, day))) {
    if (/^\d{2}$/.test(hour)) yield* disk.removeEmpty(join(dataDir, day, hour))
  }
  yield* disk.syncFolder(dirname(join(dataDir, day, "MANIFEST.jsonl")))
  return begun
})
