import { Effect } from "effect"
import { systemCode } from "../../domain/systemCode.ts"
import { DiskError } from "../../journal/Disk.ts"

/** Calls the file system of this machine; a failure names what was done to which path, with the system's code. */
export const fileCall = <A>(operation: string, path: string, run: (signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new DiskError({ operation, path, code: systemCode(cause) }) })
