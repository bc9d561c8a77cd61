// What a process has used, as the kernel counts it: nothing of it is asked of the process itself.
import { readdirSync, readFileSync } from "node:fs"

const read = (path) => readFileSync(path, "utf8")
const kilobytes = (status, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)

/** Processor seconds since the start (user and system, of all threads, the ended ones included); the clock ticks a hundred times a second. */
export const cpuSecondsOf = (pid) => {
  // The name, in brackets, may hold blanks.
  const values = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ")
  return (Number(values[11]) + Number(values[12])) / 100
}

/** Megabytes (10⁶ bytes) resident now, and the most there ever were. */
export const residentOf = (pid) => {
  const status = read(`/proc/${pid}/status`)
  return { resident_mb: kilobytes(status, "VmRSS") * 1.024e-3, peak_mb: kilobytes(status, "VmHWM") * 1.024e-3 }
}

/** Times that a thread of it has gone to sleep, and been woken for it: by thread, the main one is the process's own. */
export const wakeUpsOf = (pid) =>
  new Map(
    readdirSync(`/proc/${pid}/task`).map((task) => [
      task,
      Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(read(`/proc/${pid}/task/${task}/status`))?.[1] ?? 0)
    ])
  )

/** Open descriptors: files, sockets, pipes. */
export const descriptorsOf = (pid) => readdirSync(`/proc/${pid}/fd`).length
