import { Effect, Semaphore } from "effect"
import { dirname } from "node:path"
import { Disk, DiskError } from "./Disk.ts"
import type { FolderLocked, FolderUnwritable, HeldFolder } from "./FolderLock.ts"
import type { FolderOvertaken } from "./folderLock/Heartbeat.ts"

/** The data folder while the journal runs: it may be removed, moved away or unmounted under it. */
export interface Home {
  /**
   * Makes the folder and its lock anew where they were removed. Fails while what is found under the path is not where the
   * journal lives: another file system, or the same one with another owner. To write there would hide the record.
   */
  readonly keep: Effect.Effect<void, DiskError, Disk>
  /** Fails while another process owns the folder, and for good once one has taken it over. Costs nothing but after a stall. */
  readonly check: Effect.Effect<void, DiskError>
  /** Fails when another has taken the folder over: this process is never to write there again. */
  readonly overtaken: Effect.Effect<never, FolderOvertaken>
}

/** The nearest folder above that is there. */
const nearest = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  for (let above = dirname(path); ; above = dirname(above)) {
    const found = yield* disk.identity(above)
    if (found !== undefined || dirname(above) === above) return found
  }
})

const strange = (path: string) =>
  new DiskError({
    operation: "find the journal in",
    path,
    code: "ENODEV",
    advice: "another file system is there: mount the right one again, or restart the observer to begin there"
  })

const taken = (path: string) => (error: FolderLocked | FolderOvertaken | FolderUnwritable) =>
  error._tag === "FolderUnwritable"
    ? new DiskError({ operation: "make anew", path, code: error.detail })
    : new DiskError({ operation: "own", path, code: "EBUSY", advice: error.message })

/** The home of a journal whose folder is held. */
export const makeHome = Effect.fnUntraced(function* ({ check, isOurs, keep, overtaken, place }: HeldFolder) {
  const disk = yield* Disk
  const first = yield* disk.identity(place)
  let device = first?.device
  let key = first?.key
  // The writer and who watches for it must not both take the lock anew.
  const oneAtATime = yield* Semaphore.make(1)
  const checked = Effect.mapError(check, taken(place))
  const home: Home = {
    check: checked,
    overtaken,
    keep: Effect.gen(function* () {
      yield* checked
      const found = yield* disk.identity(place)
      if (found !== undefined && found.key === key) return
      const near = found ?? (yield* nearest(place))
      // A file system that was mounted again may have another number; what is in it tells.
      const isHere = near?.device === device || (found !== undefined && (yield* Effect.mapError(isOurs, taken(place))))
      if (!isHere) return yield* strange(place)
      yield* Effect.mapError(keep, taken(place))
      const now = yield* disk.identity(place)
      if (found === undefined) {
        yield* Effect.logWarning("the data folder was removed by somebody; it is made anew", { folder: place })
      }
      device = now?.device
      key = now?.key
    }).pipe(oneAtATime.withPermits(1))
  }
  return home
})
