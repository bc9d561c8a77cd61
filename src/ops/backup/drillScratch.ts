import { Data, Effect } from "effect"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { FolderLock } from "../../journal/FolderLock.ts"
import { readManifest } from "../../journal/Manifest.ts"
import { byteWords } from "../amountWords.ts"
import { limitsFor } from "../diskWatch/Limits.ts"
import type { BackupTarget } from "./BackupTarget.ts"
import { spaceOf } from "../diskWatch/spaceOf.ts"
import { fileCall } from "./fileCall.ts"

/** A drill would take the room that the record needs. */
export class NoRoomToDrill extends Data.TaggedError("NoRoomToDrill")<{
  readonly day: string
  readonly folder: string
  readonly need_bytes: number
  readonly free_bytes: number
  readonly low_bytes: number
}> {
  override get message() {
    const { day, folder, free_bytes, low_bytes, need_bytes } = this
    return `a drill of ${day.replaceAll("/", "-")} takes about ${byteWords(need_bytes)} in ${folder}, where ${byteWords(free_bytes)} are free and ${byteWords(low_bytes)} are kept (OBSERVER_DISK_LOW_MB): make room, or give --scratch and a folder on a larger disk`
  }
}

const prefix = "observer-drill-"
/** A day compressed is about an eighth of the day. */
const packed_share = 8
/** The day as it is, and as much again in the database. */
const copies = 2

/** What a day takes that is restored and replayed; where it is not in the live journal any more, by the target's files. */
const roomOf = Effect.fnUntraced(function* (target: BackupTarget, dataDir: string, day: string) {
  const live = yield* readManifest(dataDir, day)
  const there = live.length > 0 ? live : yield* target.list([day])
  return copies * there.reduce((sum, { bytes, file }) => sum + (file.endsWith(".gz") ? packed_share * bytes : bytes), 0)
})

export interface DrillPlace {
  readonly target: BackupTarget
  readonly day: string
  readonly dataDir: string
  /** Where the drill has its folder. */
  readonly parent: string
  /** So much stays free: less is short of room for the record. */
  readonly low_bytes: number
}

/**
 * A folder for one drill, gone when the scope closes. The folder above is locked meanwhile, so what lies there of other
 * drills is of killed ones, and is removed. Refused where the drill would take room that the record needs.
 */
export const drillScratch = Effect.fnUntraced(function* ({ dataDir, day, low_bytes, parent, target }: DrillPlace) {
  yield* FolderLock.acquire(parent, "drill")
  yield* fileCall("clear", parent, async () => {
    for (const name of await readdir(parent)) {
      if (/^(observer-)?drill-[A-Za-z0-9]{6}$/.test(name)) await rm(join(parent, name), { recursive: true })
    }
  })
  const need_bytes = yield* roomOf(target, dataDir, day)
  const { free_bytes, total_bytes } = yield* fileCall("look at", parent, () => spaceOf(parent))
  const { low_bytes: kept_bytes } = limitsFor({ low_bytes, stop_bytes: 0 }, total_bytes)
  if (free_bytes < need_bytes + kept_bytes) {
    return yield* new NoRoomToDrill({ day, folder: parent, need_bytes, free_bytes, low_bytes: kept_bytes })
  }
  return yield* Effect.acquireRelease(
    fileCall("make folder", parent, () => mkdtemp(join(parent, prefix))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }).catch(() => undefined))
  )
})
