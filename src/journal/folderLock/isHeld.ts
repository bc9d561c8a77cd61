import * as fs from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { systemCode } from "../../domain/systemCode.ts"
import { thisBoot, thisNamespace } from "../BootId.ts"
import { isAlive } from "../ProcessLife.ts"
import { type Holder, isThisProcess, lockPath, Raced } from "./LockFile.ts"
import { machineClock } from "./machineClock.ts"

/** A holder touches its lock so often: utimes costs next to nothing. */
export const beat_ms = 1_000
/** So long a lock is watched that nobody has touched: an owner that lives has been at it three times. */
const watch_ms = 4_000
const look_ms = 250
/** Older than this by the clock, a lock needs no watching: two machines' clocks are not that far apart. */
const old_ms = 60_000
/** Who only asks does not wait, and takes this for a sign of life. */
const fresh_ms = 10_000

/** When a lock was touched last. It is opened, for only that asks a server what has become of a file. */
const touchedAtMs = async (path: string): Promise<number> => {
  try {
    const handle = await fs.open(path, "r")
    try {
      return (await handle.stat()).mtimeMs
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") throw new Raced()
    throw cause
  }
}

const isTouched = async (path: string): Promise<boolean> => {
  const firstMs = await touchedAtMs(path)
  if (machineClock.currentTimeMillisUnsafe() - firstMs > old_ms) return false
  for (let waited_ms = 0; waited_ms < watch_ms; waited_ms += look_ms) {
    await pause(look_ms)
    if ((await touchedAtMs(path)) !== firstMs) return true
  }
  return false
}

/** A pid says nothing outside its namespace, nor after the machine has started anew: there it is another process's, or nobody's. */
const isForeign = ({ boot, namespace }: Holder): boolean =>
  namespace !== undefined && (namespace !== thisNamespace() || boot !== thisBoot())

const isNamesakeDead = async ({ pid, started }: Holder): Promise<boolean> =>
  pid === process.pid || !(await isAlive(pid, started))

/**
 * Whether who wrote a lock still holds the folder, for one who would take it. Among processes that see each other's pids that
 * is known at once; of another container or machine only whether it goes on touching its lock, which may take four seconds.
 */
export const isHeld = async (folder: string, generation: number, holder: Holder): Promise<boolean> =>
  isForeign(holder) ? isTouched(lockPath(folder, generation)) : !(await isNamesakeDead(holder))

/** As `isHeld`, at once and by the clock, for one who only wants to know. */
export const seemsHeld = async (folder: string, generation: number, holder: Holder): Promise<boolean> => {
  if (!isForeign(holder)) return isThisProcess(holder) || isAlive(holder.pid, holder.started)
  return machineClock.currentTimeMillisUnsafe() - (await touchedAtMs(lockPath(folder, generation))) < fresh_ms
}
