import type { FolderStatus } from "../DiskWatch.ts"
import { isBelowStop, type Limits, limitsFor } from "./Limits.ts"
import type { Look } from "./lookAt.ts"

export type FolderState = FolderStatus["state"]

/** What is known of a folder before a look. */
export interface Known {
  readonly name: FolderStatus["name"]
  readonly state: FolderState
  /** Of the first look: whether a file system of its own was mounted there. */
  readonly wasMount: boolean
  /** The folder of the last look was another one: it was made anew, and what was in it is gone. */
  readonly isReplaced: boolean
  readonly limits: Limits
}

export interface Judgement {
  readonly state: FolderState
  readonly reason?: string
}

/** A look that has not come back. */
export interface Hung {
  readonly _tag: "Hung"
  readonly hung_seconds: number
}

const mb = (bytes: number) => `${Math.floor(bytes / 1e6).toLocaleString("en-US")} MB`

const refused = (name: string, code: string): Judgement => {
  switch (code) {
    case "EROFS":
      return {
        state: "readOnly",
        reason: `the file system of the ${name} folder is read-only (EROFS): look for disk errors in the system's log and mount it writable again`
      }
    case "EACCES":
    case "EPERM":
      return {
        state: "readOnly",
        reason: `the ${name} folder may not be written (${code}): give the observer's user the right`
      }
    case "ENOSPC":
      return {
        state: "full",
        reason: `no space is left for the ${name} folder (ENOSPC): free some, or enlarge the disk`
      }
    case "EDQUOT":
      return {
        state: "full",
        reason: `the quota of the ${name} folder is used up (EDQUOT): raise it, or free some space`
      }
    default:
      return {
        state: "unreadable",
        reason: `the ${name} folder cannot be written (${code}): look for disk errors in the system's log`
      }
  }
}

/** What a look means. Only the data folder is called full before a write was refused: its appends stop while there is room left. */
export const judgeLook = (look: Look | Hung, { isReplaced, limits, name, state, wasMount }: Known): Judgement => {
  switch (look._tag) {
    case "Hung":
      return {
        state: "unreadable",
        reason: `the file system of the ${name} folder has not answered for ${Math.floor(look.hung_seconds)} s: look after its server or disk`
      }
    case "Unreadable":
      return {
        state: "unreadable",
        reason: `the ${name} folder cannot be read (${look.code}): look for disk errors in the system's log`
      }
    case "Gone":
      return {
        state: "missing",
        reason: `the ${name} folder is not there (${look.code}): it was removed or unmounted; bring it back`
      }
    case "Seen":
  }
  if (wasMount && look.device === look.parentDevice) {
    return { state: "missing", reason: `the file system of the ${name} folder was unmounted: mount it again` }
  }
  if (look.refusal !== undefined) return refused(name, look.refusal)
  if (isReplaced) {
    return {
      state: "missing",
      reason: `the ${name} folder was removed and made anew: what was in it before is gone; restore it from a backup`
    }
  }
  const here = limitsFor(limits, look.total_bytes)
  if (name === "data" && isBelowStop(look.free_bytes, here, state === "full")) {
    return {
      state: "full",
      reason: `${mb(look.free_bytes)} are left for the data folder, less than the ${mb(here.stop_bytes)} at which appends stop (OBSERVER_DISK_STOP_MB): free some space`
    }
  }
  if (look.free_bytes < here.low_bytes) {
    return {
      state: "low",
      reason: `${mb(look.free_bytes)} are left for the ${name} folder (OBSERVER_DISK_LOW_MB is ${mb(here.low_bytes)}): free some space before it is full`
    }
  }
  return { state: "ok" }
}
