import { Effect } from "effect"
import { existsSync } from "node:fs"
import { databaseOf } from "./databaseOf.ts"
import { filesProgress } from "./ops/progressText.ts"
import { makeProgress } from "./progressLine.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"
import type { DatabaseOptions } from "./sql/Database.ts"

/** Progress goes to standard error: standard output is the report's, JSON or not. */
export const verificationProgress = makeProgress(process.stderr, filesProgress)

/** The database that the settings mean, or why there is none to compare with. Comparing makes no database. */
export const databaseToCompare = (settings: Settings): DatabaseOptions | string => {
  if (!settings.sql) return "OBSERVER_SQL is off"
  const database = databaseOf(settings)
  return database._tag === "embedded" && !existsSync(database.folder) ? "there is no embedded database yet" : database
}

export const inUse = ({ pid }: { readonly pid: number }) =>
  `the embedded database is in use by process ${pid}: stop the observer to compare it`

/** Ends with the folders' code when there is no archive to look at. */
export const needFolder = ({ dataDir }: Settings) =>
  existsSync(dataDir)
    ? Effect.void
    : Effect.fail(
        new ProgramEnd({
          code: exitCode.folders,
          lines: [`OBSERVER_DATA_DIR is ${dataDir}: there is no such folder`]
        })
      )
