import { Clock, Effect } from "effect"
import { existsSync } from "node:fs"
import { databaseOf } from "./databaseOf.ts"
import type { VerifyProgress } from "./journal/Verify.ts"
import { verifyProgress } from "./ops/verifyText.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"
import type { DatabaseOptions } from "./sql/Database.ts"

/** How often progress is said: in place on a terminal, as lines elsewhere. */
const progress_ms = process.stderr.isTTY ? 200 : 10_000

/** Progress goes to standard error: standard output is the report's, JSON or not. */
export const makeProgress = Effect.map(Clock.currentTimeMillis, (startedMs) => {
  let saidMs = startedMs
  const onProgress = Effect.fnUntraced(function* (progress: VerifyProgress) {
    const nowMs = yield* Clock.currentTimeMillis
    if (nowMs - saidMs < progress_ms) return
    saidMs = nowMs
    const line = verifyProgress(progress, nowMs - startedMs, process.stderr.columns ?? 80)
    yield* Effect.sync(() => process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line.trimEnd()}\n`))
  })
  const clear = Effect.sync(() => process.stderr.isTTY && process.stderr.write("\r\u001b[K"))
  return { onProgress, clear }
})

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
