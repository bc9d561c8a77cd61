import { Context } from "effect"
import { readFileSync, readlinkSync } from "node:fs"

const orUndefined = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Names this run of the machine: another one after every start of the system; `undefined` where the system does not tell. */
export const thisBoot = (): string | undefined =>
  orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim())

/** Names the pid namespace of this process, outside of which its pid is somebody else's; `undefined` where there are none. */
export const thisNamespace = (): string | undefined => orUndefined(() => readlinkSync("/proc/self/ns/pid"))

/** As `thisBoot`, for a test to say. */
export class BootId extends Context.Reference<string | undefined>("observer/journal/BootId", {
  defaultValue: thisBoot
}) {}
