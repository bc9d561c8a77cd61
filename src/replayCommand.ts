import { Clock, Console, Effect, Option, References, Schema, type Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { fileURLToPath } from "node:url"
import { Disk } from "./journal/Disk.ts"
import { type ArchiveChunk, listArchive, readArchive } from "./journal/Reader.ts"
import type { JournalReadError } from "./journal/JournalError.ts"
import { databaseOf } from "./databaseOf.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import * as Database from "./sql/Database.ts"
import { migrate, migrationsIn } from "./sql/Migrations.ts"
import { makeProgress } from "./progressLine.ts"
import { type Reconciliation, reconcile } from "./sql/Reconcile.ts"
import { replay } from "./sql/Replay.ts"
import { renderReconciliation } from "./sql/replayText.ts"

const Day = Schema.String.check(Schema.isPattern(/^\d{4}-?\d{2}-?\d{2}$/, { expected: "a day such as 2026-11-24" }))
const day = (name: string, meaning: string) =>
  Flag.String(name).pipe(Flag.withSchema(Day), Flag.withDescription(meaning), Flag.optional)

const flags = {
  from: day("from", "First day of the archive, in market time; the oldest if not given"),
  to: day("to", "Last day of the archive; the newest if not given"),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only compare files and rows; nothing is written"),
    Flag.withDefault(false)
  )
}

const compact = (given: Option.Option<string>) => Option.getOrUndefined(given)?.replaceAll("-", "")

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const { settings } = yield* readSettings
  if (!settings.sql) {
    const lines = ["OBSERVER_SQL is off: there is no database to replay into; set it to on"]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  const range = { dataDir: settings.dataDir, fromDay: compact(given.from), toDay: compact(given.to) }
  const files = yield* listArchive(range)
  if (files.length === 0) return yield* Console.log(`no journal files in ${settings.dataDir} for these days`)
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const chunks: Stream.Stream<ArchiveChunk, JournalReadError, Disk> = readArchive(range)
  const place = settings.databaseUrl === undefined ? "the embedded database" : "the database of DATABASE_URL"
  yield* Console.log(`${files.length} journal files, ${(totalBytes / 1e6).toFixed(1)} MB → ${place}`)

  yield* Effect.gen(function* () {
    yield* migrate(migrationsIn(fileURLToPath(new URL("./migrations", import.meta.url))))
    const say = (heading: string, nodes: ReadonlyArray<Reconciliation>) =>
      Effect.forEach(renderReconciliation(heading, nodes), (line) => Console.log(line), { discard: true })
    yield* say("before", yield* reconcile(chunks))
    if (given.dryRun) return
    const { clear, onProgress } = makeProgress(totalBytes, yield* Clock.currentTimeMillis)
    const report = yield* Effect.ensuring(replay({ chunks, onProgress }), clear)
    yield* say("after", report.nodes)
    const { elapsed_ms, incidents, inserted, present, refused, rowsPerSecond } = report
    yield* Console.log(
      `${inserted} rows added, ${present} were there, ${incidents} gaps and rejects, ${refused} refused by the server; ` +
        `${(elapsed_ms / 1_000).toFixed(1)} s, ${rowsPerSecond} rows/s`
    )
  }).pipe(Effect.provide(Database.layer(databaseOf(settings))))
})

/** The journal into the database. */
export const replayCommand = Command.make("replay", flags, (given) =>
  run(given).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      JournalReadError: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderLocked: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      FolderUnwritable: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      EmbeddedDatabaseError: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      SqlError: (error) =>
        Effect.fail(
          new ProgramEnd({
            code: exitCode.credentials,
            lines: [`the database cannot be used: ${String(error.reason.cause)}`]
          })
        ),
      MigrationError: (error) => Effect.fail(endWith(exitCode.bug)(error))
    })
  )
).pipe(
  Command.withDescription(
    "Stores the journal in the database; what is there already is left as it is, so it may be run again"
  )
)
