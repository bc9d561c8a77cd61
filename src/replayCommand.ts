import { Console, Effect, Layer, Option, References, type Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { marketMidnight } from "./calendar/MarketTime.ts"
import { dayFlag, rangeOf } from "./commandDays.ts"
import { Disk } from "./journal/Disk.ts"
import { type ArchiveChunk, listArchive, readArchive } from "./journal/Reader.ts"
import type { JournalReadError } from "./journal/JournalError.ts"
import { quickRecord } from "./journal/QuickLine.ts"
import { databaseOf } from "./databaseOf.ts"
import { archiveProgress } from "./ops/progressText.ts"
import { archiveEnds } from "./archiveEnds.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { table } from "./Settings.ts"
import * as Database from "./sql/Database.ts"
import { hasTables } from "./sql/HourRows.ts"
import { keptDay, readKeptFrom } from "./sql/KeptFrom.ts"
import { migrate, migrationsIn } from "./sql/Migrations.ts"
import { makeProgress } from "./progressLine.ts"
import { isEqual, onceReplayed, type Reconciliation, reconcile, reconcileEmpty } from "./sql/Reconcile.ts"
import { replay } from "./sql/Replay.ts"
import { renderReconciliation } from "./sql/replayText.ts"
import { targetFlag } from "./targetFlag.ts"
import { telemetryOf, readTelemetrySettings } from "./telemetryOf.ts"
import { needFolder } from "./verificationFrame.ts"

const flags = {
  from: dayFlag("from", "First day of the archive, in market time; the oldest if not given").pipe(Flag.optional),
  to: dayFlag("to", "Last day of the archive; the newest if not given").pipe(Flag.optional),
  target: targetFlag(
    "PostgreSQL server to store in, as postgres://user@host/database; DATABASE_URL if not given, which other users of the machine cannot see"
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only compare files with rows, before and as they would be after; nothing is written"),
    Flag.withDefault(false)
  )
}

/** Lines are not in the database, and a replay cannot or, after `--dry-run`, did not bring them there. */
const rowsMissing = 1

const say = (heading: string, nodes: ReadonlyArray<Reconciliation>) =>
  Effect.forEach(renderReconciliation(heading, nodes), (line) => Console.log(line), { discard: true })

/** Ends with its own code when lines are not stored. */
const judge = Effect.fnUntraced(function* (nodes: ReadonlyArray<Reconciliation>, advice: string) {
  const short = nodes.filter((node) => !isEqual(node)).map(({ node }) => node)
  if (short.length === 0) return
  return yield* new ProgramEnd({
    code: rowsMissing,
    lines: [`not every line of ${short.join(", ")} is stored: ${advice}`]
  })
})

/** Who replays what the database does not keep should know that it does not stay. */
const sayKept = Effect.fnUntraced(function* (oldestDay: string) {
  const keptFromMs = yield* readKeptFrom
  if (keptFromMs === undefined || !(marketMidnight(oldestDay) < keptFromMs)) return
  yield* Console.log(
    `the database keeps days from ${keptDay(keptFromMs)} on: older ones are dropped again within the hour ` +
      `while an observer runs with ${table.sqlRetention_days.name}`
  )
})

/** What rows there are, and what a replay would leave. */
const sayDry = Effect.fnUntraced(function* (nodes: ReadonlyArray<Reconciliation>) {
  yield* say("before", nodes)
  yield* say("after", nodes.map(onceReplayed))
  return yield* judge(nodes, "a replay without --dry-run stores what is missing")
})

type Chunks = Stream.Stream<ArchiveChunk, JournalReadError, Disk>

const sayAllMissing = (chunks: Chunks, why: string) =>
  Effect.andThen(Console.log(`${why}: nothing is stored`), Effect.flatMap(reconcileEmpty(chunks), sayDry))

const compareOnly = Effect.fnUntraced(function* (chunks: Chunks, oldestDay: string) {
  if (!(yield* hasTables)) return yield* sayAllMissing(chunks, "the database has no tables of the observer yet")
  yield* sayKept(oldestDay)
  return yield* sayDry(yield* reconcile(chunks))
})

const store = Effect.fnUntraced(function* (chunks: Chunks, oldestDay: string, range: string, totalBytes: number) {
  yield* migrate(migrationsIn(fileURLToPath(new URL("./migrations", import.meta.url))))
  yield* sayKept(oldestDay)
  const { clear, onProgress } = yield* makeProgress(process.stdout, archiveProgress(totalBytes))
  const report = yield* Effect.ensuring(replay({ chunks, range, onProgress }), clear)
  yield* say("after", report.nodes)
  const { elapsed_ms, incidents, inserted, passed, present, refused, rowsPerSecond } = report
  yield* Console.log(
    `${inserted} rows added, ${present} were there, ${incidents} gaps and rejects, ${refused} refused by the server; ` +
      `${passed === 0 ? "" : `${passed} lines passed over, which an earlier replay had stored; `}` +
      `${(elapsed_ms / 1_000).toFixed(1)} s, ${rowsPerSecond} rows/s`
  )
  return yield* judge(report.nodes, "run it again; it begins anew, and what is missing then was removed meanwhile")
})

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const days = yield* rangeOf(given.from, given.to)
  const { env, settings } = yield* readSettings
  const { telemetry: sent, warnings } = yield* readTelemetrySettings(env)
  for (const warning of warnings) yield* Effect.logWarning(warning)
  const target = Option.getOrUndefined(given.target)
  if (!settings.sql && target === undefined) {
    const lines = ["OBSERVER_SQL is off: there is no database to replay into; set it to on, or give a --target"]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  yield* needFolder(settings)
  const range = { dataDir: settings.dataDir, ...days }
  const files = yield* listArchive(range)
  const [oldest] = files
  if (oldest === undefined) return yield* Console.log(`no journal files in ${settings.dataDir} for these days`)
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const chunks: Chunks = readArchive(range, quickRecord)
  const database = databaseOf(target === undefined ? settings : { ...settings, databaseUrl: target })
  const server = target === undefined ? "the database of DATABASE_URL" : "the database of --target"
  const place = database._tag === "embedded" ? "the embedded database" : server
  yield* Console.log(`${files.length} journal files, ${(totalBytes / 1e6).toFixed(1)} MB → ${place}`)

  if (given.dryRun && database._tag === "embedded" && !existsSync(database.folder)) {
    return yield* sayAllMissing(chunks, "there is no embedded database yet")
  }
  const oldestDay = oldest.segment.day.replaceAll("/", "")
  const name = `${range.fromDay ?? "*"}-${range.toDay ?? "*"}`
  const { drain_seconds, node } = settings
  const telemetry = telemetryOf({ settings: sent, node, drain_seconds })
  yield* Effect.provide(
    given.dryRun ? compareOnly(chunks, oldestDay) : store(chunks, oldestDay, name, totalBytes),
    Layer.provideMerge(Database.layer(database), telemetry)
  )
})

/** The journal into the database. */
export const replayCommand = Command.make("replay", flags, (given) =>
  run(given).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      ...archiveEnds(),
      FolderLocked: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      MigrationError: (error) => Effect.fail(endWith(exitCode.bug)(error))
    })
  )
).pipe(
  Command.withShortDescription("Store the journal in the database"),
  Command.withDescription(
    "Stores the journal in the database; what is there already is left as it is, so it may be run again, beside another and beside the observer. One that was ended goes on where it was. Exit codes: 0 all is stored, 1 rows are missing, 64 a wrong setting, 69 the database cannot be used, 73 the folders cannot"
  ),
  Command.withExamples([
    { command: "observer replay --dry-run", description: "What rows are missing" },
    { command: "observer replay --from 2026-11-20 --to 2026-11-24", description: "Some days only" }
  ])
)
