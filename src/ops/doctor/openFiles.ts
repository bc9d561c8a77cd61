import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import type { MachineCheck } from "../Doctor.ts"
import { ok, skipped, warn } from "./Finding.ts"

/** Connections, files being read and the database's own: far fewer are open, and a burst must not end the record. */
const files_min = 1_024

/** Linux alone tells. */
const limits = Effect.promise(() => readFile("/proc/self/limits", "utf8").catch(() => ""))

/** `ulimit -n` of this process: what a service of the same user has may be another number. */
export const openFiles: MachineCheck = {
  name: "open files",
  look: () =>
    Effect.map(limits, (text) => {
      const limit = /^Max open files\s+(\S+)/m.exec(text)?.[1]
      if (limit === undefined) return [skipped("open files", "this system does not say how many files may be open")]
      const files = limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit)
      if (files >= files_min) return [ok("open files", `${limit} may be open at once`, { details: { limit } })]
      const advice = `raise it to ${files_min}: ulimit -n, or LimitNOFILE= in the systemd unit`
      return [warn("open files", `only ${limit} may be open at once`, advice, { details: { limit } })]
    })
}
