import { Console, Effect, References } from "effect"
import { Command, Flag } from "effect/cli"
import { backupTargetFlag, daysFlag, selectionOf, targetOf } from "./backupFlags.ts"
import { drillCommand } from "./backupDrillCommand.ts"
import { backupEnds, withBackupSettings } from "./backupFrame.ts"
import { dayFlag } from "./commandDays.ts"
import { Disk } from "./journal/Disk.ts"
import { FolderLock } from "./journal/FolderLock.ts"
import { backupLines, verificationLines } from "./ops/backup/backupText.ts"
import { isGood } from "./ops/backup/BackupReport.ts"
import { runBackup } from "./ops/backup/runBackup.ts"
import { verifyTarget } from "./ops/backup/verifyTarget.ts"
import { filesProgress } from "./ops/progressText.ts"
import { makeProgress } from "./progressLine.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"
import { needFolder } from "./verificationFrame.ts"

/** Files are not at the target as they should be. */
const wanting = 1

const flags = {
  target: backupTargetFlag("target"),
  days: daysFlag("Only these days, in market time: 2026-11-20, several with commas, 2026-11-20..2026-11-24").pipe(
    Flag.optional
  ),
  from: dayFlag("from", "First day, in market time; the oldest if not given").pipe(Flag.optional),
  to: dayFlag("to", "Last day; the newest if not given").pipe(Flag.optional),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only say what would be sent; nothing is written"),
    Flag.withDefault(false)
  ),
  verify: Flag.Boolean("verify").pipe(
    Flag.withDescription("Read what is at the target and hold it against its hashes; nothing is sent"),
    Flag.withDefault(false)
  )
}
type Given = Command.Command.Config.Infer<typeof flags>

const sayLines = (lines: ReadonlyArray<string>) => Effect.forEach(lines, (line) => Console.log(line), { discard: true })

const run = Effect.fnUntraced(function* (given: Given, settings: Settings) {
  if (given.dryRun && given.verify) {
    const lines = ["--dry-run and --verify are given: --verify sends nothing anyway; allowed: one of the two"]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  const selection = yield* selectionOf(given)
  const target = yield* targetOf(given.target, "target", settings.backupTarget)
  yield* needFolder(settings)
  const { dataDir, gzip_minutes, logDir, stateDir } = settings
  const { clear, onProgress } = yield* makeProgress(process.stderr, filesProgress)
  if (given.verify) {
    const found = yield* Effect.ensuring(verifyTarget({ stateDir, target, selection, onProgress }), clear)
    yield* sayLines(verificationLines(target.name, found))
    return found.wrong.length === 0
  }
  const folders = { dataDir, logDir, stateDir }
  // Where no observer runs, nothing is compressed that could be waited for.
  const isObserved = (yield* FolderLock.holder(dataDir))?.purpose === "journal"
  const compressed = isObserved ? gzip_minutes : "off"
  const options = { ...folders, target, selection, gzip_minutes: compressed, isDry: given.dryRun, onProgress } as const
  const report = yield* Effect.ensuring(runBackup(options), clear)
  yield* sayLines(backupLines(report, given.dryRun))
  if (report.stopped !== undefined) return yield* report.stopped
  return isGood(report)
})

/** Copies of the record in another place. */
export const backupCommand = Command.make("backup", flags, (given) =>
  withBackupSettings((settings) => run(given, settings)).pipe(
    Effect.flatMap((isWell) => (isWell ? Effect.void : new ProgramEnd({ code: wanting, lines: [] }))),
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags(backupEnds)
  )
).pipe(
  Command.withShortDescription("Copy sealed files, manifests, certificates and logs to another place"),
  Command.withDescription(
    "Copies sealed files, manifests, certificates, universes, quarantine and logs to a target, and holds each against its hash there; what is there already is not sent again. Keys, tokens, settings and the database are never copied. It may run beside the observer, and one that was ended goes on. Beside a running observer, files that it is about to compress wait for that, and the last lines say until when; without one they are sent as they are. Exit codes: 0 everything is there but for what waits, 1 files are not as they should be, 64 a wrong setting, 69 the target cannot be used, 73 the folders cannot"
  ),
  Command.withSubcommands([drillCommand])
)
