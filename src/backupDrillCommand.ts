import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Option, References } from "effect"
import { Command, Flag } from "effect/cli"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { archiveEnds } from "./archiveEnds.ts"
import { backupEnds, withBackupSettings } from "./backupFrame.ts"
import { backupTargetFlag, targetOf } from "./backupFlags.ts"
import { marketNow } from "./calendar/MarketClock.ts"
import { dayFolder, marketDate } from "./calendar/MarketTime.ts"
import { dayFlag } from "./commandDays.ts"
import { Disk } from "./journal/Disk.ts"
import { drillLines } from "./ops/backup/backupText.ts"
import { drill, newestDayAt } from "./ops/backup/drill.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import type { Settings } from "./Settings.ts"
import { migrate, migrationsIn } from "./sql/Migrations.ts"

const megabyte = 1_000_000

/** The day cannot be had back as it was. */
const failed = 1

const flags = {
  target: backupTargetFlag("target"),
  day: dayFlag("day", "The day to bring back, in market time; the newest whole one if not given").pipe(Flag.optional),
  scratch: Flag.String("scratch").pipe(
    Flag.withDescription("Folder for the restored day and its database while it runs; the backup folder if not given"),
    Flag.optional
  )
}

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>, settings: Settings) {
  const target = yield* targetOf(given.target, "target", settings.backupTarget)
  const { dataDir, stateDir } = settings
  const before = dayFolder(marketDate(yield* marketNow))
  const asked = Option.map(given.day, dayFolder)
  const day = Option.getOrUndefined(asked) ?? (yield* newestDayAt({ target, dataDir, stateDir, before }))
  if (day === undefined) {
    const hasToday = (yield* target.list([before])).length > 0
    const lines = [
      hasToday
        ? `only today is at ${target.name}: it can be drilled tomorrow`
        : `${target.name} has no day that is over: observer backup brings them there`
    ]
    return yield* new ProgramEnd({ code: failed, lines })
  }
  const migrations = migrationsIn(fileURLToPath(new URL("./migrations", import.meta.url)))
  const makeTables = Effect.provide(migrate(migrations), NodeServices.layer)
  const onStep = (step: string) => Effect.sync(() => void process.stderr.write(`${step}\n`))
  const scratchDir = Option.getOrUndefined(given.scratch)
  const report = yield* drill({
    target,
    day,
    dataDir,
    stateDir,
    ...(scratchDir === undefined ? {} : { scratchDir: resolve(scratchDir) }),
    low_bytes: settings.diskLow_mb * megabyte,
    makeTables,
    onStep
  })
  yield* Effect.forEach(drillLines(report), (line) => Console.log(line), { discard: true })
  if (!report.ok) return yield* new ProgramEnd({ code: failed, lines: [] })
})

/** Can the backup be had back? */
export const drillCommand = Command.make("drill", flags, (given) =>
  withBackupSettings((settings) => run(given, settings)).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      ...archiveEnds(),
      ...backupEnds,
      NoRoomToDrill: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      RestoreRefused: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      MigrationError: (error) => Effect.fail(endWith(exitCode.bug)(error))
    })
  )
).pipe(
  Command.withShortDescription("Bring a day back into a scratch folder and a scratch database, and compare"),
  Command.withDescription(
    "Restores a day into a folder of its own, verifies every file, replays it into an embedded database of its own, and compares counts and hashes with the manifest and the live journal. Leaves nothing but its report, drill.json in the backup folder of OBSERVER_STATE_DIR. Exit codes: 0 the day can be had back, 1 it cannot, 64 a wrong setting, 69 the target cannot be used, 73 the folders cannot or have no room"
  )
)
