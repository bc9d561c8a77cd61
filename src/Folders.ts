import { Effect } from "effect"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { type Settings, table } from "./Settings.ts"
import { systemCode } from "./domain/systemCode.ts"

const prepare = (variable: string, folder: string, mode?: number) =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(folder, { recursive: true, ...(mode === undefined ? {} : { mode }) })
      const probe = join(folder, `.writable-${process.pid}`)
      await writeFile(probe, "observer\n")
      await rm(probe)
    },
    catch: (cause) =>
      new ProgramEnd({
        code: exitCode.folders,
        lines: [
          `${variable} is "${folder}": it cannot be written (${systemCode(cause)}); make it writable or name another folder`
        ]
      })
  })

/** Makes the three folders and proves that they can be written; ends with exit code 73 and one line otherwise. */
export const prepareFolders = ({ dataDir, logDir, stateDir }: Settings): Effect.Effect<void, ProgramEnd> =>
  Effect.gen(function* () {
    yield* prepare(table.dataDir.name, dataDir)
    yield* prepare(table.logDir.name, logDir)
    // Tokens and the database lie here.
    yield* prepare(table.stateDir.name, stateDir, 0o700)
  })
