import { Clock, Data, Deferred, Effect, Schedule } from "effect"
import * as fs from "node:fs/promises"
import { systemCode } from "../../domain/systemCode.ts"
import { thisNamespace } from "../BootId.ts"
import { beat_ms } from "./isHeld.ts"
import { machineClock } from "./machineClock.ts"
import { holderOf, isThisProcess, linkLock, lockPath, newestLock, Raced } from "./LockFile.ts"

/** Another process has taken the folder while this one was still there. What it writes and what this one would are of one number. */
export class FolderOvertaken extends Data.TaggedError("FolderOvertaken")<{
  readonly folder: string
  /** Of who took it, where it says so. */
  readonly pid: number | undefined
}> {
  override get message() {
    const who = this.pid === undefined ? "another process" : `process ${this.pid}, of another container or machine,`
    return `${who} has taken ${this.folder} over, for this one gave no sign of life; this one writes there no more: run only one observer on a folder, and check it with observer verify`
  }
}

/** A touch that takes longer may hang; a call to the same disk after it would, too. */
const late_ms = 500
/** A taker watches a lock for longer than this. */
const sure_ms = 3_000

const keyOf = async (path: string): Promise<string> => {
  const { birthtimeMs, dev, ino } = await fs.lstat(path)
  return `${dev}:${ino}:${birthtimeMs}`
}

/**
 * Touches the lock of a held folder each second, so that processes that cannot see its owner's pid see that it lives, and
 * looks whether it is still the newest. It runs by the machine's clock whatever else does, for others watch it; one call
 * is under way at a time. Where a system knows no pid namespaces, pids tell, and nothing is touched.
 */
export class Heartbeat {
  readonly overtaken = Deferred.makeUnsafe<never, FolderOvertaken>()
  private readonly place: string
  private readonly purpose: string
  private readonly lock: { readonly generation: number }
  private readonly isNeeded = thisNamespace() !== undefined
  private begunMs = 0
  private folderKey: string | undefined
  private lockKey: string | undefined
  private foundAt = this.now
  private found: FolderOvertaken | undefined
  private beating: Promise<void> | undefined

  constructor(place: string, purpose: string, lock: { readonly generation: number }) {
    this.place = place
    this.purpose = purpose
    this.lock = lock
  }

  /** For as long as the folder is held; ends when it is another's. */
  get run(): Effect.Effect<void> {
    return Effect.promise(() => this.beat()).pipe(
      Effect.repeat({ schedule: Schedule.spaced(beat_ms), while: () => this.isNeeded && !this.isOvertaken }),
      Effect.asVoid,
      Effect.provideService(Clock.Clock, machineClock)
    )
  }

  /** A beat that is under way when the lock is given back must not follow it. */
  get settled(): Effect.Effect<void> {
    return Effect.promise(() => this.beating ?? Promise.resolve()).pipe(
      Effect.timeoutOption("1 second"),
      Effect.asVoid,
      Effect.provideService(Clock.Clock, machineClock)
    )
  }

  /** The folder may be another one now, in which the lock was made anew. */
  kept(): void {
    this.folderKey = undefined
    this.lockKey = undefined
  }

  get isOvertaken(): boolean {
    return this.found !== undefined
  }

  /** Fails when the folder is another's. Looks only if it has not been looked for so long that somebody may have taken it. */
  get check(): Effect.Effect<void, FolderOvertaken> {
    return Effect.suspend(() => {
      if (this.found !== undefined) return Effect.fail(this.found)
      if (!this.isNeeded || this.isSure) return Effect.void
      const looked = Effect.promise(() => this.beat())
      return Effect.andThen(
        looked,
        Effect.suspend(() => this.found ?? Effect.void)
      )
    })
  }

  private get now(): readonly [number, number] {
    return [performance.now(), machineClock.currentTimeMillisUnsafe()]
  }

  /** A machine that slept may not have counted the time. */
  private get isSure(): boolean {
    const [monotonicMs, wallMs] = this.now
    const [foundMs, foundWallMs] = this.foundAt
    if (this.beating !== undefined && monotonicMs - this.begunMs > late_ms) return false
    return Math.max(monotonicMs - foundMs, Math.abs(wallMs - foundWallMs)) < sure_ms
  }

  private beat(): Promise<void> {
    if (!this.isNeeded) return Promise.resolve()
    if (this.beating !== undefined) return this.beating
    this.begunMs = performance.now()
    this.beating = this.touch()
      // A folder that is gone or does not answer is its owner's affair, who writes there.
      .catch(() => undefined)
      .finally(() => {
        this.beating = undefined
      })
    return this.beating
  }

  private async touch(): Promise<void> {
    const begun = this.now
    const path = lockPath(this.place, this.lock.generation)
    this.folderKey ??= await keyOf(this.place)
    const key = await keyOf(path).catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return undefined
      throw cause
    })
    if (key === undefined || key !== this.lockKey) {
      if (!(await this.isOurs())) return
      this.lockKey = await keyOf(path)
    }
    const at = new Date()
    await fs.utimes(path, at, at)
    this.foundAt = begun
  }

  /** Whether the newest lock is this process's; one that was removed is made anew. */
  private async isOurs(): Promise<boolean> {
    // A folder that was put in the place of the held one is taken anew by who writes there, or is not.
    if ((await keyOf(this.place)) !== this.folderKey) return false
    const newest = await newestLock(this.place)
    if (newest === 0) {
      await linkLock(this.place, this.lock.generation, this.purpose)
      return true
    }
    const holder = await holderOf(this.place, newest)
    if (holder !== undefined && isThisProcess(holder)) return true
    if ((await keyOf(this.place)) !== this.folderKey) throw new Raced()
    this.found = new FolderOvertaken({ folder: this.place, pid: holder?.pid })
    Deferred.doneUnsafe(this.overtaken, this.found)
    return false
  }
}
