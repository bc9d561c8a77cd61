import { Console, Effect, References } from "effect"
import { Command, Flag } from "effect/cli"
import { backupEnds, withBackupSettings } from "./backupFrame.ts"
import { backupTargetFlag, daysFlag, targetOf } from "./backupFlags.ts"
import { Disk } from "./journal/Disk.ts"
import { restoreLines } from "./ops/backup/backupText.ts"
import { restore } from "./ops/backup/restore.ts"
import { filesProgress } from "./ops/progressText.ts"
import { makeProgress } from "./progressLine.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"

/** Something is missing or damaged at the target. */
const wanting = 1

const flags = {
  from: backupTargetFlag("from"),
  days: daysFlag("The days, in market time: 2026-11-20, several with commas, 2026-11-20..2026-11-24, or all with logs"),
  into: Flag.String("into").pipe(
    Flag.withDescription("The folder to restore into: a new one, or OBSERVER_DATA_DIR while no observer runs")
  ),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Replace what the folder has otherwise for these days"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>, settings: Settings) {
  const { days, from, into, overwrite } = given
  const target = yield* targetOf(from, "from", settings.backupTarget)
  const { clear, onProgress } = yield* makeProgress(process.stderr, filesProgress)
  const report = yield* Effect.ensuring(restore({ target, selection: days, into, overwrite, onProgress }), clear)
  yield* Effect.forEach(restoreLines(report, into), (line) => Console.log(line), { discard: true })
  if (report.wrong.length > 0) return yield* new ProgramEnd({ code: wanting, lines: [] })
})

/** The record back from its copies. */
export const restoreCommand = Command.make("restore", flags, (given) =>
  withBackupSettings((settings) => run(given, settings)).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      ...backupEnds,
      RestoreRefused: (error) => Effect.fail(endWith(exitCode.folders)(error))
    })
  )
).pipe(
  Command.withShortDescription("Bring days back from a backup"),
  Command.withDescription(
    "Brings days back from a backup into a folder, each file under its name only when its hash is right. One that was ended goes on. Never writes into the folder of a running observer, nor over other content unless asked. Exit codes: 0 everything is back, 1 something is missing or damaged at the target, 64 a wrong setting, 69 the target cannot be used, 73 the folders cannot"
  )
)
