import { Context } from "effect"
import { readFileSync } from "node:fs"

const read = (): string | undefined => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
  } catch {
    return undefined
  }
}

/** Names this run of the machine: another one after every start of the system; `undefined` where the system does not tell. */
export class BootId extends Context.Reference<string | undefined>("observer/journal/BootId", { defaultValue: read }) {}
