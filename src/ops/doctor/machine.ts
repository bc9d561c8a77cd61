import { Effect } from "effect"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { freemem, totalmem } from "node:os"
import { byteWords } from "../amountWords.ts"
import type { MachineCheck } from "../Doctor.ts"
import { fail, ok, skipped, warn } from "./Finding.ts"

/** Connections, files being read and the database's own: far fewer are open, and a burst must not end the record. */
const files_min = 1_024
/** With 2,000 symbols and the embedded database. */
const memory_bytes_wanted = 512e6
/** With an outside one. */
const memory_bytes_min = 256e6

const readOr = (path: string, fallback: string) => Effect.promise(() => readFile(path, "utf8").catch(() => fallback))

/** `ulimit -n` of this process: what a service of the same user has may be another number. */
export const openFiles: MachineCheck = {
  name: "open files",
  look: () =>
    Effect.map(readOr("/proc/self/limits", ""), (text) => {
      const limit = /^Max open files\s+(\S+)/m.exec(text)?.[1]
      if (limit === undefined) return [skipped("open files", "this system does not say how many files may be open")]
      const files = limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit)
      if (files >= files_min) return [ok("open files", `${limit} may be open at once`, { details: { limit } })]
      const advice = `raise it to ${files_min}: ulimit -n, or LimitNOFILE= in the systemd unit`
      return [warn("open files", `only ${limit} may be open at once`, advice, { details: { limit } })]
    })
}

/** Of the container where there is one, of the machine else. */
const memoryLimit = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}

export const memory: MachineCheck = {
  name: "memory",
  look: () =>
    Effect.map(readOr("/proc/meminfo", ""), (text) => {
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

export const surroundings: MachineCheck = {
  name: "surroundings",
  look: ({ env }) =>
    Effect.sync(() => {
      const container = ["/.dockerenv", "/run/.containerenv"].some((file) => existsSync(file))
      const systemd = env["INVOCATION_ID"] !== undefined
      const places = [container ? "in a container" : "", systemd ? "under systemd" : ""].filter((word) => word !== "")
      const where = places.length === 0 ? "neither in a container nor under systemd" : places.join(", ")
      return [ok("surroundings", `process ${process.pid} ${where}`, { details: { container, systemd } })]
    })
}

const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]

/** Only the names: an address may hold a password. */
export const proxy: MachineCheck = {
  name: "proxy",
  look: ({ env }) =>
    Effect.sync(() => {
      const set = proxies.filter((each) => (env[each] ?? "") !== "")
      if (set.length === 0) return [ok("proxy", "none is set")]
      const words = `${set.join(" and ")} ${set.length === 1 ? "is" : "are"} set, and not used: the broker is asked directly`
      return [
        warn("proxy", words, "let this machine reach the broker's ports directly; the lines below say whether it can")
      ]
    })
}
