import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { freemem, totalmem } from "node:os"
import { byteWords } from "../amountWords.ts"
import type { MachineCheck } from "../Doctor.ts"
import { fail, ok, warn } from "./Finding.ts"

/** With 2,000 symbols and the embedded database. */
const memory_bytes_wanted = 512e6
/** With an outside one. */
const memory_bytes_min = 256e6

const meminfo = Effect.promise(() => readFile("/proc/meminfo", "utf8").catch(() => ""))

/** Of the container where there is one, of the machine else. */
const memoryLimit = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}

export const memory: MachineCheck = {
  name: "memory",
  look: () =>
    Effect.map(meminfo, (text) => {
      // What Linux calls free leaves out caches that it would give back at once.
      const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) * 1_024
      const free = Math.min(Number.isNaN(available) ? freemem() : available, memoryLimit())
      const words = `${byteWords(free)} of ${byteWords(memoryLimit())} available`
      const details = { available_bytes: Math.round(free), limit_bytes: memoryLimit() }
      if (memoryLimit() < memory_bytes_min) {
        const advice = `give it ${byteWords(memory_bytes_wanted)}, or half of it with an outside database`
        return [fail("memory", `${words}: too little`, advice, { details })]
      }
      if (free >= memory_bytes_wanted) return [ok("memory", words, { details })]
      return [warn("memory", words, "end what else runs here, or give the machine more", { details })]
    })
}
