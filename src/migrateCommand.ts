import { Console, Effect, References } from "effect"
import { Command, Flag } from "effect/cli"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { archiveEnds } from "./archiveEnds.ts"
import { databaseOf } from "./databaseOf.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import * as Database from "./sql/Database.ts"
import { migrate, migrationsIn } from "./sql/Migrations.ts"
import { migrationName, migrationState, type MigrationState } from "./sql/MigrationState.ts"

/** Something is to be done yet. */
const wanting = 1

const flags = {
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only say which would run; nothing is written"),
    Flag.withDefault(false)
  )
}

const loader = migrationsIn(fileURLToPath(new URL("./migrations", import.meta.url)))

/** What a newer program did to the tables is not known here. */
const refuseAhead = ({ ahead }: MigrationState) =>
  ahead.length === 0
    ? Effect.void
    : Effect.fail(
        new ProgramEnd({
          code: wanting,
          lines: [
            `the database has ${ahead.join(", ")}, which this version does not know: run the version that made them`
          ]
        })
      )

const sayPending = Effect.fnUntraced(function* (pending: ReadonlyArray<string>) {
  if (pending.length === 0) return yield* Console.log("nothing is pending")
  yield* Effect.forEach(pending, (name) => Console.log(`pending ${name}`), { discard: true })
  return yield* new ProgramEnd({ code: wanting, lines: [] })
})

const bring = Effect.fnUntraced(function* (dryRun: boolean) {
  const state = yield* migrationState(loader)
  yield* refuseAhead(state)
  if (dryRun) return yield* sayPending(state.pending)
  const ran = yield* migrate(loader)
  yield* Effect.forEach(ran, ([id, name]) => Console.log(`ran ${migrationName(id, name)}`), { discard: true })
  if (ran.length === 0) yield* Console.log(`nothing to do: all ${state.applied.length} were run`)
})

const run = Effect.fnUntraced(function* (dryRun: boolean) {
  const { settings } = yield* readSettings
  if (!settings.sql) {
    const lines = ["OBSERVER_SQL is off: there is no database to bring up to date; set it to on"]
    return yield* new ProgramEnd({ code: exitCode.settings, lines })
  }
  const database = databaseOf(settings)
  if (dryRun && database._tag === "embedded" && !existsSync(database.folder)) {
    const names = (yield* loader).map(([id, name]) => migrationName(id, name))
    return yield* sayPending(names)
  }
  return yield* Effect.provide(bring(dryRun), Database.layer(database))
})

const { JournalReadError: _journalUnread, ...ends } = archiveEnds(
  "; it can be brought up to date later: the observer does it when it starts"
)

/** The database to the newest version. */
export const migrateCommand = Command.make("migrate", flags, ({ dryRun }) =>
  run(dryRun).pipe(
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      ...ends,
      FolderLocked: ({ message }) =>
        Effect.fail(
          new ProgramEnd({
            code: exitCode.folders,
            lines: [`${message}; an observer has run the migrations at its start`]
          })
        ),
      MigrationError: (error) => Effect.fail(endWith(exitCode.bug)(error))
    })
  )
).pipe(
  Command.withShortDescription("Bring the database to this version"),
  Command.withDescription(
    "Runs the migrations that the database lacks, under a lock, as the observer does when it starts: before an upgrade, or by another user than the observer's. Exit codes: 0 the database is up to date, 1 --dry-run has found some that are pending, or the database is of a newer version, 64 a wrong setting, 69 the database cannot be used, 70 a migration failed, 73 the folders cannot be used"
  ),
  Command.withExamples([
    { command: "observer migrate --dry-run", description: "Which migrations would run" },
    {
      command: "DATABASE_URL=postgres://owner@host/observer observer migrate",
      description: "As the owner of the tables"
    }
  ])
)
