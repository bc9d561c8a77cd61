import { Clock, Console, Effect, Option, References, Schema, type Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { fileURLToPath } from "node:url"
import { Disk } from "./journal/Disk.ts"
import { type ArchiveChunk, listArchive, readArchive } from "./journal/Reader.ts"
import type { JournalReadError } from "./journal/JournalError.ts"
import { quickRecord } from "./journal/QuickLine.ts"
import { databaseOf } from "./databaseOf.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import * as Database from "./sql/Database.ts"
import { migrate, migrationsIn } from "./sql/Migrations.ts"
import { makeProgress } from "./progressLine.ts"
import { isEqual, type Reconciliation, reconcile } from "./sql/Reconcile.ts"
import { replay } from "./sql/Replay.ts"
import { renderReconciliation } from "./sql/replayText.ts"
import { targetFlag } from "./targetFlag.ts"

const Day = Schema.String.check(Schema.isPattern(/^\d{4}-?\d{2}-?\d{2}$/, { expected: "a day such as 2026-11-24" }))
const day = (name: string, meaning: string) =>
  Flag.String(name).pipe(Flag.withSchema(Day), Flag.withDescription(meaning), Flag.optional)

const flags = {
  from: day("from", "First day of the archive, in market time; the oldest if not given"),
  to: day("to", "Last day of the archive; the newest if not given"),
  target: targetFlag(
    "PostgreSQL server to store in, as postgres://user@host/database; DATABASE_URL if not given, which other users of the machine cannot see"
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only compare files and rows; nothing is written"),
    Flag.withDefault(false)
  )
}

/** Lines are not in the database, and a replay cannot or, after `--dry-run`, did not bring them there. */
const rowsMissing = 1

const compact = (given: Option.Option<string>) => Option.getOrUndefined(given)?.replaceAll("-", "")

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

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const { settings } = yield* readSettings
  const target = Option.getOrUndefined(given.target)
  if (!settings.sql && target === undefined) {
    const lines = ["OBSERVER_SQL is off: there is no database to replay into; set it to on, or give a --target"]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  const range = { dataDir: settings.dataDir, fromDay: compact(given.from), toDay: compact(given.to) }
  const files = yield* listArchive(range)
  if (files.length === 0) return yield* Console.log(`no journal files in ${settings.dataDir} for these days`)
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const chunks: Stream.Stream<ArchiveChunk, JournalReadError, Disk> = readArchive(range, quickRecord)
  const database = databaseOf(target === undefined ? settings : { ...settings, databaseUrl: target })
  const server = target === undefined ? "the database of DATABASE_URL" : "the database of --target"
  const place = database._tag === "embedded" ? "the embedded database" : server
  yield* Console.log(`${files.length} journal files, ${(totalBytes / 1e6).toFixed(1)} MB → ${place}`)

  yield* Effect.gen(function* () {
    yield* migrate(migrationsIn(fileURLToPath(new URL("./migrations", import.meta.url))))
    if (given.dryRun) {
      const nodes = yield* reconcile(chunks)
      yield* say("before", nodes)
      return yield* judge(nodes, "a replay without --dry-run stores what is missing")
    }
    const { clear, onProgress } = makeProgress(totalBytes, yield* Clock.currentTimeMillis)
    const report = yield* Effect.ensuring(
      replay({ chunks, range: `${range.fromDay ?? "*"}-${range.toDay ?? "*"}`, onProgress }),
      clear
    )
    yield* say("after", report.nodes)
    const { elapsed_ms, incidents, inserted, passed, present, refused, rowsPerSecond } = report
    yield* Console.log(
      `${inserted} rows added, ${present} were there, ${incidents} gaps and rejects, ${refused} refused by the server; ` +
        `${passed === 0 ? "" : `${passed} lines passed over, which an earlier replay had stored; `}` +
        `${(elapsed_ms / 1_000).toFixed(1)} s, ${rowsPerSecond} rows/s`
    )
    return yield* judge(report.nodes, "run it again; it begins anew, and what is missing then was removed meanwhile")
  }).pipe(Effect.provide(Database.layer(database)))
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
  Command.withShortDescription("Store the journal in the database"),
  Command.withDescription(
    "Stores the journal in the database; what is there already is left as it is, so it may be run again, beside another and beside the observer. One that was ended goes on where it was. Exit codes: 0 all is stored, 1 rows are missing, 64 a wrong setting, 69 the database cannot be used, 73 the folders cannot"
  )
)
