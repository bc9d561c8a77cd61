import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { spaceOf } from "./spaceOf.ts"
import { systemCode } from "../../domain/systemCode.ts"

/** What one look at a folder found. */
export type Look =
  | { readonly _tag: "Gone"; readonly code: string; readonly nearestDevice: number | undefined }
  | { readonly _tag: "Unreadable"; readonly code: string }
  | {
      readonly _tag: "Seen"
      readonly device: number
      /** Of the folder above: the same, unless a file system is mounted here. */
      readonly parentDevice: number
      /** Another one when this is another folder of the same name. */
      readonly key: string
      readonly free_bytes: number
      readonly total_bytes: number
      /** Why it takes no writes: the system's word; absent when it does. */
      readonly refusal?: string
    }

const probe_bytes = 4_096

/**
 * Writes, closes and removes a small file. Only a write finds a quota that is used up, and only a new file finds that there
 * are no names left; what is synced meanwhile is not waited for.
 */
const probe = async (path: string): Promise<string | undefined> => {
  const file = join(path, ".disk-probe")
  try {
    await fs.writeFile(file, Buffer.alloc(probe_bytes), { mode: 0o600 })
    return undefined
  } catch (cause) {
    return systemCode(cause)
  } finally {
    await fs.rm(file, { force: true }).catch(() => undefined)
  }
}

const nearestDevice = async (path: string): Promise<number | undefined> => {
  for (let above = dirname(path); ; above = dirname(above)) {
    try {
      return (await fs.stat(above)).dev
    } catch {
      if (dirname(above) === above) return undefined
    }
  }
}

/** The numbers of a folder's file system and of the one above it. */
export type Devices = Pick<Extract<Look, { _tag: "Seen" }>, "device" | "parentDevice">

/**
 * Looks at a folder and its file system: some calls that write nothing, and a small file written where that `isProbed`. May
 * never return on a file system that hangs.
 */
export const lookAt = async (path: string, isProbed: (devices: Devices) => boolean): Promise<Look> => {
  try {
    const stats = await fs.stat(path)
    if (!stats.isDirectory()) return { _tag: "Gone", code: "ENOTDIR", nearestDevice: undefined }
    const space = await spaceOf(path)
    // Read-only file systems and missing rights show here, without a write.
    const denied = await fs.access(path, fs.constants.W_OK | fs.constants.X_OK).then(() => undefined, systemCode)
    const devices: Devices = { device: stats.dev, parentDevice: (await fs.stat(dirname(path))).dev }
    const refusal = denied ?? (isProbed(devices) ? await probe(path) : undefined)
    return {
      _tag: "Seen",
      ...devices,
      key: `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`,
      ...space,
      ...(refusal === undefined ? {} : { refusal })
    }
  } catch (cause) {
    const code = systemCode(cause)
    if (code === "ENOENT" || code === "ENOTDIR") {
      return { _tag: "Gone", code, nearestDevice: await nearestDevice(path) }
    }
    return { _tag: "Unreadable", code }
  }
}
