import { Effect } from "effect"
import { MarketClock, rehearsed } from "./calendar/MarketClock.ts"
import { ChildEnvironment, childEnvironment } from "./ops/backup/childProgram.ts"
import { endWith, exitCode } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import type { Settings } from "./Settings.ts"

const folders = (error: { readonly message: string }) => Effect.fail(endWith(exitCode.folders)(error))

/** How a program ends that cannot use a target or the folders. */
export const backupEnds = {
  TargetError: (error: { readonly message: string }) => Effect.fail(endWith(exitCode.credentials)(error)),
  DiskError: folders,
  FolderLocked: folders,
  FolderUnwritable: folders
}

/** Runs what has to do with backups in the market's time that the settings mean, and without our keys in the environment of others. */
export const withBackupSettings = Effect.fnUntraced(function* <A, E, R>(
  use: (settings: Settings) => Effect.Effect<A, E, R>
) {
  const { env, settings } = yield* readSettings
  const work = Effect.provideService(use(settings), ChildEnvironment, childEnvironment(env))
  const { clock } = settings
  return yield* clock === undefined ? work : Effect.provideService(work, MarketClock, rehearsed(clock))
})
