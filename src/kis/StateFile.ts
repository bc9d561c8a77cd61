import { Clock, Data, Effect, Redacted, Result, Schema } from "effect"
import { createHash, randomUUID } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { systemCode } from "../domain/systemCode.ts"
import type { KisAccount } from "./Account.ts"

/** The state folder does not take what is to be remembered; `code` is the system's word. */
export class StateFileUnwritable extends Data.TaggedError("StateFileUnwritable")<{
  readonly file: string
  readonly code: string
}> {
  override get message() {
    return `${this.file} cannot be written (${this.code})`
  }
}

/** What lies on disk: nothing yet, a record, or something that cannot be read as one and was last changed then. */
export type Found<A> =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Broken"; readonly changedAtMs: number }
  | { readonly _tag: "Known"; readonly value: A }

/** A decision about a record: the answer for the caller, and the record that takes its place (`undefined`: it stays). */
export type Decide<A, B> = (found: Found<A>, nowMs: number) => readonly [answer: B, next: A | undefined]

export interface StateFile<A> {
  readonly read: Effect.Effect<Found<A>>
  /** The path of the record as it lies on disk now; `undefined` while there is none, or the folder cannot be read. */
  readonly path: Effect.Effect<string | undefined>
  /**
   * Changes the record as no one else changes it at the same time, in this process or another. When it returns, the
   * change survives a power cut. `decide` is asked again when somebody else was faster, so it must be pure.
   */
  change<B>(decide: Decide<A, B>): Effect.Effect<B, StateFileUnwritable>
}

/** Somebody else changed the record in between; what is there now has to be looked at. */
class Raced extends Data.TaggedError("Raced")<{}> {}

/** Each lost race is another's success, so that many in a row mean many processes at once. */
const races_max = 200

/**
 * Names the record of one key in one environment and place. What the mock issues is worthless on the live host, so both
 * are in the name, the key only as a hash.
 */
const nameOf = (kind: string, { appKey, endpoints: { env, place } }: KisAccount): string => {
  const where = place === env ? env : `${env}-${place}`
  const hash = createHash("sha256")
    .update(`${where}\n${Redacted.value(appKey)}`)
    .digest("hex")
    .slice(0, 16)
  return `${kind}-${where.replace(/[^0-9A-Za-z.-]/g, "_").slice(0, 80)}-${hash}`
}

/**
 * A small record of one key that outlives the process and is shared by all processes of the state folder, readable by
 * its owner alone. Nobody ever holds a lock that a kill could leave behind: each version is a file `<name>.<n>.json`,
 * written and synced under another name and then linked to the next number, which succeeds for one only. The highest
 * number is the record. Who finds a higher one after linking (because the listing it acted on was old) steps back and
 * looks again. A file without a number is of an older program and counts as the first.
 */
export const makeStateFile = <A, I>(
  stateDir: string,
  kind: string,
  account: KisAccount,
  schema: Schema.Codec<A, I>
): StateFile<A> => {
  const name = nameOf(kind, account)
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  const encode = Schema.encodeSync(Schema.fromJsonString(schema))
  const fileOf = (version: number) => join(stateDir, version === 0 ? `${name}.json` : `${name}.${version}.json`)
  const versionOf = (file: string): number | undefined => {
    if (!file.startsWith(`${name}.`)) return undefined
    const found = /^\.(?:(\d{1,15})\.)?json$/.exec(file.slice(name.length))
    return found === null ? undefined : Number(found[1] ?? 0)
  }

  const newest = async (): Promise<number | undefined> => {
    const versions = (await namesIn(stateDir)).map(versionOf).filter((version) => version !== undefined)
    return versions.length === 0 ? undefined : Math.max(...versions)
  }

  const look = async (nowMs: number): Promise<{ readonly version: number; readonly found: Found<A> }> => {
    const version = await newest()
    if (version === undefined) return { version: 0, found: { _tag: "Nothing" } }
    const file = fileOf(version)
    try {
      const decoded = decode(await fs.readFile(file, "utf8"))
      if (Result.isSuccess(decoded)) return { version, found: { _tag: "Known", value: decoded.success } }
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") throw new Raced()
    }
    const changedAtMs = await fs.stat(file).then(
      ({ mtimeMs }) => Math.min(nowMs, Math.floor(mtimeMs)),
      () => nowMs
    )
    return { version, found: { _tag: "Broken", changedAtMs } }
  }

  const put = async (version: number, value: A): Promise<void> => {
    await fs.mkdir(stateDir, { recursive: true, mode: 0o700 })
    const draft = join(stateDir, `${name}.${randomUUID()}.tmp`)
    try {
      await writeSynced(draft, encode(value))
      await fs.link(draft, fileOf(version))
    } catch (cause) {
      // The draft is gone when another has just cleaned up.
      if (["EEXIST", "ENOENT"].includes(systemCode(cause))) throw new Raced()
      throw cause
    } finally {
      await fs.rm(draft, { force: true })
    }
    if ((await newest()) !== version) {
      await fs.rm(fileOf(version), { force: true })
      throw new Raced()
    }
    await syncFolder(stateDir)
    const old = (await namesIn(stateDir)).filter(
      (file) => (versionOf(file) ?? version) < version || (file.startsWith(`${name}.`) && file.endsWith(".tmp"))
    )
    // What stays is only untidy; the next change tries again.
    await Promise.allSettled(old.map((file) => fs.rm(join(stateDir, file), { force: true })))
  }

  const unraced = async <B>(attempt: () => Promise<B>): Promise<B> => {
    for (let race = 1; ; race++) {
      try {
        return await attempt()
      } catch (cause) {
        if (!(cause instanceof Raced) || race === races_max) throw cause
      }
    }
  }

  return {
    read: Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
      Effect.tryPromise(() => unraced(() => look(nowMs))).pipe(
        Effect.map(({ found }) => found),
        Effect.orElseSucceed((): Found<A> => ({ _tag: "Broken", changedAtMs: nowMs }))
      )
    ),
    path: Effect.tryPromise(newest).pipe(
      Effect.map((version) => (version === undefined ? undefined : fileOf(version))),
      Effect.orElseSucceed(() => undefined)
    ),
    change: (decide) =>
      Effect.flatMap(Clock.Clock, (clock) =>
        Effect.tryPromise({
          try: () =>
            unraced(async () => {
              const { found, version } = await look(clock.currentTimeMillisUnsafe())
              const [answer, next] = decide(found, clock.currentTimeMillisUnsafe())
              if (next !== undefined) await put(version + 1, next)
              return answer
            }),
          catch: (cause) => new StateFileUnwritable({ file: join(stateDir, name), code: systemCode(cause) })
        })
      )
  }
}

const namesIn = async (folder: string): Promise<ReadonlyArray<string>> => {
  try {
    return await fs.readdir(folder)
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return []
    throw cause
  }
}

const writeSynced = async (file: string, text: string): Promise<void> => {
  const handle = await fs.open(file, "wx", 0o600)
  try {
    await handle.writeFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Windows has no folder handles to sync; its journal makes links durable by itself. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return
  const handle = await fs.open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
