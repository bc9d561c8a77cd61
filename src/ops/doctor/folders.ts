import { Effect } from "effect"
import * as fs from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { isOpenToOthers, modeWords } from "../../domain/fileMode.ts"
import { systemCode } from "../../domain/systemCode.ts"
import type { Check } from "../Doctor.ts"
import { type Finding, fail, ok, warn } from "./Finding.ts"
import type { Holder, Installation } from "./Installation.ts"

/** Writes a file as the journal does, and takes it away again; milliseconds that making it durable took. */
const probe = async (folder: string): Promise<number> => {
  const file = join(folder, `.writable-${process.pid}`)
  try {
    const handle = await fs.open(file, "w", 0o600)
    try {
      await handle.writeFile("observer\n")
      const began = performance.now()
      await handle.datasync()
      return performance.now() - began
    } finally {
      await handle.close()
    }
  } finally {
    await fs.rm(file, { force: true })
  }
}

/** The nearest folder on the way that is there. */
const nearest = async (folder: string): Promise<string> => {
  const parent = dirname(folder)
  const isThere = await fs.stat(parent).then(
    () => true,
    () => false
  )
  return isThere || parent === folder ? parent : nearest(parent)
}

const lacking = async (name: string, variable: string, folder: string): Promise<Finding> => {
  const parent = await nearest(resolve(folder))
  const code = await fs.access(parent, fs.constants.W_OK).then(() => undefined, systemCode)
  if (code === undefined) return ok(name, `${folder} is not there yet; the first start makes it`)
  return fail(name, `${folder} is not there and cannot be made in ${parent} (${code})`, `make it, or set ${variable}`)
}

const judge = async (
  { name, variable, folder, isSecret }: Place,
  fsync_ms_max: number,
  holder: Holder | undefined
): Promise<Finding> => {
  try {
    const { mode } = await fs.stat(folder)
    const ms = await probe(folder)
    const held = holder === undefined ? "" : `; process ${holder.pid} (${holder.purpose}) holds it, as it should`
    const beside = { ms, details: { folder, mode: modeWords(mode), ...(holder === undefined ? {} : { holder }) } }
    if (isSecret && isOpenToOthers(mode)) {
      return warn(name, `${folder} is open to other users (mode ${modeWords(mode)})`, `chmod 700 ${folder}`, beside)
    }
    if (ms > fsync_ms_max) {
      const advice = "look at what else uses this disk: until a write is durable a power cut can take it"
      return warn(
        name,
        `${folder} is slow to make a write durable (OBSERVER_FSYNC_MS is ${fsync_ms_max})${held}`,
        advice,
        beside
      )
    }
    return ok(name, `${folder} takes durable writes${held}`, beside)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === "ENOENT") return lacking(name, variable, folder)
    const words = `${folder} cannot be written (${code})`
    return fail(name, words, `make it writable for this user, or set ${variable}`, { details: { folder, code } })
  }
}

interface Place {
  readonly name: string
  readonly variable: string
  readonly folder: string
  readonly isSecret: boolean
}

const placesOf = ({ dataDir, logDir, stateDir }: Installation): ReadonlyArray<Place> => [
  { name: "data folder", variable: "OBSERVER_DATA_DIR", folder: dataDir, isSecret: false },
  { name: "log folder", variable: "OBSERVER_LOG_DIR", folder: logDir, isSecret: false },
  { name: "state folder", variable: "OBSERVER_STATE_DIR", folder: stateDir, isSecret: true }
]

/** Whether each folder takes a write, how long it takes to make one durable, and who holds the record. */
export const folders: Check = {
  name: "folders",
  look: Effect.fnUntraced(function* (on) {
    const holder = yield* on.holder
    return yield* Effect.forEach(placesOf(on), (place) =>
      Effect.promise(() => judge(place, on.fsync_ms, place.folder === on.dataDir ? holder : undefined))
    )
  })
}
