// A lock between processes of one machine: a folder, since making one either succeeds or says that it exists.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const poll_ms = 100
const wait_ms_max = 15 * 60_000
/** A folder without an owner is one whose maker was killed between two calls. */
const ownerless_ms_max = 5_000

/** Runs `work` while no other process holds the lock at `path`; `onWait` is told once, with the owner's process id. */
export const withLock = async (path, onWait, work) => {
  const began = Date.now()
  let told = false
  while (!take(path)) {
    const owner = ownerOf(path)
    if (isAbandoned(path, owner)) {
      removeAbandoned(path, owner)
      continue
    }
    if (Date.now() - began > wait_ms_max) throw new Error(`process ${owner} still holds ${path} after 15 minutes`)
    if (!told && owner !== undefined) {
      told = true
      onWait(owner)
    }
    await new Promise((resolve) => setTimeout(resolve, poll_ms))
  }
  const release = () => rmSync(path, { recursive: true, force: true })
  process.once("exit", release)
  try {
    return await work()
  } finally {
    process.removeListener("exit", release)
    release()
  }
}

const take = (path) => {
  mkdirSync(dirname(path), { recursive: true })
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === "EEXIST") return false
    throw error
  }
  writeFileSync(join(path, "pid"), String(process.pid))
  return true
}

const ownerOf = (path) => {
  try {
    const pid = Number(readFileSync(join(path, "pid"), "utf8"))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

const isAbandoned = (path, owner) => {
  if (owner === undefined) return ageOf(path) > ownerless_ms_max
  try {
    process.kill(owner, 0)
    return false
  } catch (error) {
    return error.code === "ESRCH"
  }
}

const ageOf = (path) => {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

/** Two who wait may both see a dead owner; a second folder lets one of them alone remove the lock, and only if it still is that owner's. */
const removeAbandoned = (path, owner) => {
  const breaking = `${path}.breaking`
  try {
    mkdirSync(breaking)
  } catch {
    if (ageOf(breaking) > ownerless_ms_max) rmSync(breaking, { recursive: true, force: true })
    return
  }
  if (ownerOf(path) === owner) rmSync(path, { recursive: true, force: true })
  rmSync(breaking, { recursive: true, force: true })
}
