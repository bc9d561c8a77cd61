import { upkeep } from "../actor/upkeep.ts"
import { Data, Deferred, Effect, Schedule, type Scope } from "effect"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { systemCode } from "../domain/systemCode.ts"
import { thisNamespace } from "./BootId.ts"
import { type FolderOvertaken, Heartbeat } from "./folderLock/Heartbeat.ts"
import { isHeld, seemsHeld } from "./folderLock/isHeld.ts"
import {
  emptyLock,
  holderOf,
  isLockName,
  isThisProcess,
  linkLock,
  lockPath,
  newestLock,
  Raced
} from "./folderLock/LockFile.ts"

/** A living process holds the folder. */
export class FolderLocked extends Data.TaggedError("FolderLocked")<{
  readonly folder: string
  readonly pid: number
  readonly purpose: string
  /** Its pid is one of another container or machine. */
  readonly isElsewhere?: boolean
}> {
  override get message() {
    const where = this.isElsewhere === true ? " of another container or machine" : ""
    return `${this.folder} is in use by process ${this.pid}${where} (${this.purpose}): stop it, or name another folder`
  }
}

/** The lock itself could not be written. */
export class FolderUnwritable extends Data.TaggedError("FolderUnwritable")<{
  readonly folder: string
  readonly detail: string
}> {
  override get message() {
    return `cannot write ${this.folder}: ${this.detail}`
  }
}

/** Folders held by this process: its own pid in a file otherwise only says that a namesake lived before a restart. */
const held = new Set<string>()

const take = async (folder: string, purpose: string, atLeast = 1): Promise<number> => {
  const last = await newestLock(folder)
  const holder = last === 0 ? undefined : await holderOf(folder, last)
  if (holder !== undefined && !isThisProcess(holder) && (await isHeld(folder, last, holder))) {
    const { namespace, pid, purpose } = holder
    throw new FolderLocked({
      folder,
      pid,
      purpose,
      ...(namespace !== undefined && namespace !== thisNamespace() && { isElsewhere: true })
    })
  }
  const mine = Math.max(last + 1, atLeast)
  await linkLock(folder, mine, purpose)
  if ((await newestLock(folder)) !== mine) {
    await fs.rm(lockPath(folder, mine), { force: true })
    throw new Raced()
  }
  for (const name of await fs.readdir(folder)) {
    if (isLockName(name) && join(folder, name) !== lockPath(folder, mine))
      await fs.rm(join(folder, name), { force: true })
  }
  return mine
}

const claim = Effect.fnUntraced(function* (folder: string, purpose: string) {
  const unwritable = (cause: unknown) => new FolderUnwritable({ folder, detail: systemCode(cause) })
  const place = yield* Effect.tryPromise({
    try: async () => {
      await fs.mkdir(folder, { recursive: true })
      return fs.realpath(folder)
    },
    catch: unwritable
  })
  if (held.has(place)) return yield* new FolderLocked({ folder, pid: process.pid, purpose })
  held.add(place)
  const won = (atLeast?: number) =>
    Effect.tryPromise({
      try: async () => {
        if (atLeast !== undefined) await fs.mkdir(place, { recursive: true })
        return await take(place, purpose, atLeast)
      },
      catch: (cause) => (cause instanceof FolderLocked || cause instanceof Raced ? cause : unwritable(cause))
    }).pipe(
      Effect.retry({
        while: (error) => error._tag === "Raced",
        schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 100 }))
      }),
      Effect.catchTag("Raced", () => Effect.fail(unwritable("too many starters want it at once")))
    )
  const generation = yield* Effect.onError(won(), () => Effect.sync(() => held.delete(place)))
  const lock = { generation }
  const heart = new Heartbeat(place, purpose, lock)
  const isOurs = Effect.tryPromise({
    try: () => holderOf(place, lock.generation).then((holder) => holder !== undefined && isThisProcess(holder)),
    catch: (cause) => (cause instanceof Raced ? "ENOENT" : systemCode(cause))
  }).pipe(
    Effect.catchIf(
      (code) => code === "ENOENT" || code === "ENOTDIR",
      () => Effect.succeed(false)
    ),
    Effect.mapError(unwritable)
  )
  const keep = Effect.gen(function* () {
    if (yield* isOurs) return
    lock.generation = yield* won(lock.generation)
    heart.kept()
  })
  return { place, lock, isOurs, keep, heart }
})

/** A folder that is this process's own until the scope closes. */
export interface HeldFolder {
  /** The number of the lock: one more than that of the owner before. */
  readonly generation: number
  /** The folder's path without links. */
  readonly place: string
  /** Whether the lock is in the folder as it is found now. */
  readonly isOurs: Effect.Effect<boolean, FolderUnwritable>
  /** Makes folder and lock anew where somebody has removed them; fails while another process owns the folder. */
  readonly keep: Effect.Effect<void, FolderLocked | FolderUnwritable>
  /** Fails once another has taken the folder in this one's lifetime; looks only when that may have been. Asked before each write. */
  readonly check: Effect.Effect<void, FolderOvertaken>
  /** Fails as soon as that is found, within a second or two. */
  readonly overtaken: Effect.Effect<never, FolderOvertaken>
}

/**
 * Makes one process the owner of a folder until the scope closes. The owner is a file `.lock.<n>` that names the pid and
 * the moment the process started, so a lock left by `kill -9` is taken over at once, also when its pid has been reused. Its
 * owner touches it each second for those to whom its pid says nothing: a lock of another container or machine is watched for
 * four seconds before it is taken.
 *
 * Two starters cannot both win: taking over never deletes or overwrites the old lock, it links the next number, which
 * succeeds once. The highest number is the owner and is never removed, only emptied when it is given back; who finds
 * a higher one after linking (because the listing it acted on was old) steps back and looks again.
 */
const acquire = (
  folder: string,
  purpose: string
): Effect.Effect<HeldFolder, FolderLocked | FolderUnwritable, Scope.Scope> =>
  Effect.acquireRelease(claim(folder, purpose), ({ heart, lock, place }) =>
    Effect.andThen(heart.settled, () =>
      heart.isOvertaken ? Effect.void : Effect.ignore(Effect.tryPromise(() => emptyLock(place, lock.generation)))
    ).pipe(Effect.andThen(Effect.sync(() => held.delete(place))))
  ).pipe(
    Effect.tap(({ heart }) => upkeep(heart.run)),
    Effect.map(({ heart, isOurs, keep, lock, place }) => ({
      generation: lock.generation,
      place,
      isOurs,
      keep,
      check: heart.check,
      overtaken: Deferred.await(heart.overtaken)
    }))
  )

/** Who holds a folder now; nobody is asked and nothing is taken. `undefined`: nobody, or there is no such folder. */
const holder = (
  folder: string
): Effect.Effect<{ readonly pid: number; readonly purpose: string } | undefined, FolderUnwritable> =>
  Effect.tryPromise({
    try: async () => {
      const last = await newestLock(folder)
      const found = last === 0 ? undefined : await holderOf(folder, last)
      if (found === undefined || !(await seemsHeld(folder, last, found))) return undefined
      return { pid: found.pid, purpose: found.purpose }
    },
    catch: (cause) => (cause instanceof Raced ? cause : new FolderUnwritable({ folder, detail: systemCode(cause) }))
  }).pipe(
    // Whoever takes the lock in this moment is there at the next look.
    Effect.retry({ while: ({ _tag }) => _tag === "Raced", times: 20 }),
    Effect.catchTag("Raced", () => Effect.undefined),
    Effect.catchIf(
      ({ detail }) => detail === "ENOENT",
      () => Effect.undefined
    )
  )

export const FolderLock = { acquire, holder }
