import { writeSync } from "node:fs"
// These run when effects have ended, or do not come to their end: the clock is Node's own.
import { clearInterval, setInterval, setTimeout } from "node:timers"

/** For what each thing takes to close at the most: the embedded database ten seconds, the log file three. */
const closing_ms = 15_000
/** A slow disk answers by then; one that has not answered hangs. */
const answer_ms_max = 5_000
const look_ms = 20

/** Puts another program in the place of this one and all of its threads. Node has it from 22.15 on, but not on Windows. */
const execve: unknown = Reflect.get(process, "execve")

/** Whether calls to the file system are on their way: `process.exit` waits for each of them, and for ever when it hangs. */
const isCalling = () => process.getActiveResourcesInfo().some((kind) => /^(FSReq|FileHandleCloseReq)/.test(kind))

/**
 * Ends the process though threads of it hang. Before Node 22.15 only a signal can: one that service managers take for an end
 * that was asked for, or the one that they take for a failure.
 */
const endByForce = (code: number, why: string): void => {
  try {
    writeSync(2, `observer: ${why}; it is not waited for, and the process ends with code ${code}\n`)
  } catch {
    // Nobody reads it any more.
  }
  if (typeof execve === "function") {
    execve.call(process, process.execPath, [process.execPath, "-e", `process.exit(${code})`], {})
  }
  const signal = code === 0 ? "SIGTERM" : "SIGKILL"
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

/** Ends the process at once; one that hangs, where Node can end it so. */
export const endAtOnce = (code: number): void => {
  if (typeof execve === "function" && isCalling()) endByForce(code, "a call to the file system is on its way")
  process.exit(code)
}

/** Ends a program that has nothing more to do, by `end`, and by force where a file system does not answer. */
export const endOnceAnswered = (code: number, end: (code: number) => void): void => {
  if (!isCalling()) return end(code)
  const startedMs = performance.now()
  const looking = setInterval(() => {
    const isHung = performance.now() - startedMs >= answer_ms_max
    if (isCalling() && !isHung) return
    clearInterval(looking)
    if (isCalling()) endByForce(code, "a call to the file system hangs")
    else end(code)
  }, look_ms)
}

/**
 * Has the process end with the code though closing its files, sockets and database never comes to an end. An end that takes
 * its time is not cut short: every part of it has a limit of its own within what is left of the drain time and a reserve.
 */
export const endInTime = (code: number, left_ms: number): void => {
  const overdue = () => endByForce(code, "closing has not come to its end in time, for something hangs")
  setTimeout(overdue, left_ms + closing_ms).unref()
}
