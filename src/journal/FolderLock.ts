import { Data, Effect, Schedule, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { isAlive, startedAt } from "./ProcessLife.ts"
import { systemCode } from "../domain/systemCode.ts"

/** A living process holds the folder. */
export class FolderLocked extends Data.TaggedError("FolderLocked")<{
  readonly folder: string
  readonly pid: number
  readonly purpose: string
}> {
  override get message() {
    return `${this.folder} is in use by process ${this.pid} (${this.purpose}): stop it, or name another folder`
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

/** Lost a race to another starter; looking again tells who won. */
class Raced extends Data.TaggedError("Raced")<{}> {}

interface Holder {
  readonly pid: number
  readonly started: string | undefined
  readonly purpose: string
}

/** Folders held by this process: its own pid in a file otherwise only says that a namesake lived before a restart. */
const held = new Set<string>()

const prefix = ".lock."
const generations = async (folder: string): Promise<ReadonlyArray<number>> => {
  const names = await fs.readdir(folder)
  return names.flatMap((name) => (/^\.lock\.\d+$/.test(name) ? [Number(name.slice(prefix.length))] : []))
}

const newest = async (folder: string) => Math.max(0, ...(await generations(folder)))

/** Who wrote a lock file; `undefined` for one that was given back, or that a power cut left without its content. */
const holderOf = async (folder: string, generation: number): Promise<Holder | undefined> => {
  try {
    const holder: Partial<Holder> = JSON.parse(await fs.readFile(join(folder, `${prefix}${generation}`), "utf8"))
    return typeof holder.pid === "number"
      ? { pid: holder.pid, started: holder.started, purpose: String(holder.purpose) }
      : undefined
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") throw new Raced()
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

const take = async (folder: string, purpose: string, atLeast = 1): Promise<number> => {
  const last = await newest(folder)
  const holder = last === 0 ? undefined : await holderOf(folder, last)
  if (holder !== undefined && holder.pid !== process.pid && (await isAlive(holder.pid, holder.started))) {
    throw new FolderLocked({ folder, pid: holder.pid, purpose: holder.purpose })
  }
  const mine = Math.max(last + 1, atLeast)
  const draft = join(folder, `${prefix}${randomUUID()}.tmp`)
  await fs.writeFile(draft, JSON.stringify({ pid: process.pid, started: await startedAt(process.pid), purpose }))
  try {
    await fs.link(draft, join(folder, `${prefix}${mine}`))
  } catch (cause) {
    if (["EEXIST", "ENOENT"].includes(systemCode(cause))) throw new Raced()
    throw cause
  } finally {
    await fs.rm(draft, { force: true })
  }
  if ((await newest(folder)) !== mine) {
    await fs.rm(join(folder, `${prefix}${mine}`), { force: true })
    throw new Raced()
  }
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(prefix) && name !== `${prefix}${mine}`) await fs.rm(join(folder, name), { force: true })
  }
  return mine
}

const giveBack = async (folder: string, generation: number) => {
  const draft = join(folder, `${prefix}${randomUUID()}.tmp`)
  await fs.writeFile(draft, "{}")
  await fs.rename(draft, join(folder, `${prefix}${generation}`))
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
  const isOurs = Effect.tryPromise({
    try: () => holderOf(place, lock.generation).then((holder) => holder?.pid === process.pid),
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
  })
  return { place, lock, isOurs, keep }
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
}

/**
 * Makes one process the owner of a folder until the scope closes. The owner is a file `.lock.<n>` that names the pid and
 * the moment the process started, so a lock left by `kill -9` is taken over at once, also when its pid has been reused.
 *
 * Two starters cannot both win: taking over never deletes or overwrites the old lock, it links the next number, which
 * succeeds once. The highest number is the owner and is never removed, only emptied when it is given back; who finds
 * a higher one after linking (because the listing it acted on was old) steps back and looks again.
 */
const acquire = (
  folder: string,
  purpose: string
): Effect.Effect<HeldFolder, FolderLocked | FolderUnwritable, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(claim(folder, purpose), ({ lock, place }) =>
      Effect.ignore(Effect.tryPromise(() => giveBack(place, lock.generation))).pipe(
        Effect.andThen(Effect.sync(() => held.delete(place)))
      )
    ),
    ({ isOurs, keep, lock, place }) => ({ generation: lock.generation, place, isOurs, keep })
  )

/** Who holds a folder now; nobody is asked and nothing is taken. `undefined`: nobody, or there is no such folder. */
const holder = (
  folder: string
): Effect.Effect<{ readonly pid: number; readonly purpose: string } | undefined, FolderUnwritable> =>
  Effect.tryPromise({
    try: async () => {
      const last = await newest(folder)
      const found = last === 0 ? undefined : await holderOf(folder, last)
      if (found === undefined || !(await isAlive(found.pid, found.started))) return undefined
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
