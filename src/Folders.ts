import { Effect } from "effect"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { databaseOf } from "./databaseOf.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { type Settings, table } from "./Settings.ts"
import { isNoRoom, systemCode } from "./domain/systemCode.ts"

/** A start writes less: a lock, a hint and its first records. */
const probe_bytes = 65_536
/** So often it is looked whether there is room again. */
const room_interval = "5 seconds"

interface Folder {
  readonly variable: string
  readonly path: string
  readonly mode?: number
}

/** Makes a folder and writes a file in it, which does not stay; the system's word where that cannot be. */
const prepare = ({ mode, path }: Folder): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    const probe = join(path, `.writable-${process.pid}`)
    try {
      await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) })
      await writeFile(probe, Buffer.alloc(probe_bytes))
      return undefined
    } catch (cause) {
      return systemCode(cause)
    } finally {
      await rm(probe, { force: true }).catch(() => undefined)
    }
  })

/** Waits for as long as it takes: a program that runs waits for room too, and one that ends may not be started again. */
const awaitRoom = Effect.fnUntraced(function* (folder: Folder, say: (line: string) => void) {
  say(`${folder.variable} is "${folder.path}": no room is left; the start waits until there is some`)
  let code: string | undefined
  do {
    yield* Effect.sleep(room_interval)
    code = yield* prepare(folder)
  } while (isNoRoom(code))
  return code
})

/**
 * Makes the three folders and proves that they can be written. What a full disk refuses is waited for where nothing goes
 * without it: the journal's folder, and that of an embedded database. A log folder never stands in the way. Else it ends with
 * exit code 73 and one line.
 *
 * @param say hears of trouble that the start goes on with, a line each
 */
export const prepareFolders = Effect.fnUntraced(function* (settings: Settings, say: (line: string) => void) {
  const isEmbedded = settings.sql && databaseOf(settings)._tag === "embedded"
  const log: Folder = { variable: table.logDir.name, path: settings.logDir }
  const data: Folder = { variable: table.dataDir.name, path: settings.dataDir }
  // Tokens and the database lie here.
  const state: Folder = { variable: table.stateDir.name, path: settings.stateDir, mode: 0o700 }
  const unlogged = yield* prepare(log)
  if (unlogged !== undefined) {
    say(
      `${log.variable} is "${log.path}": it cannot be written (${unlogged}); the start goes on, and the log file is tried again`
    )
  }
  for (const folder of [data, state]) {
    let code = yield* prepare(folder)
    if (isNoRoom(code) && (folder === data || isEmbedded)) code = yield* awaitRoom(folder, say)
    if (isNoRoom(code)) say(`${folder.variable} is "${folder.path}": no room is left (${code}); the start goes on`)
    else if (code !== undefined) {
      const words = `it cannot be written (${code}); make it writable or name another folder`
      const lines = [`${folder.variable} is "${folder.path}": ${words}`]
      return yield* new ProgramEnd({ code: exitCode.folders, lines })
    }
  }
})
