import { Console, Effect, Option, References } from "effect"
import { Command, Flag } from "effect/cli"
import { dayFlag, rangeOf } from "./commandDays.ts"
import { Disk } from "./journal/Disk.ts"
import { verifyArchive, type VerifyOptions } from "./journal/Verify.ts"
import { problemTable, rowsText, summary } from "./ops/verifyText.ts"
import { archiveEnds } from "./archiveEnds.ts"
import { ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import type { Settings } from "./Settings.ts"
import * as Database from "./sql/Database.ts"
import { countRows, followedSeqs, hasTables, makeHourCount, type RowComparison } from "./sql/HourRows.ts"
import { olderText } from "./sql/KeptFrom.ts"
import { rowProblems } from "./sql/rowProblems.ts"
import { targetFlag } from "./targetFlag.ts"
import { databaseToCompare, inUse, needFolder, verificationProgress } from "./verificationFrame.ts"

/** Something is not as it should be. */
const found = 1

const flags = {
  from: dayFlag("from", "First day to verify, in market time; the oldest if not given").pipe(Flag.optional),
  to: dayFlag("to", "Last day to verify; the newest if not given").pipe(Flag.optional),
  noSql: Flag.Boolean("no-sql").pipe(
    Flag.withDescription("Verify the files alone, without the database"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("The whole report as JSON"), Flag.withDefault(false)),
  target: targetFlag(
    "PostgreSQL server to compare with, as postgres://user@host/database; DATABASE_URL if not given, which other users of the machine cannot see"
  )
}
type Given = Command.Command.Config.Infer<typeof flags>

/** The database to compare with, or why there is none. */
const databaseFor = (settings: Settings, given: Given): Database.DatabaseOptions | string => {
  if (given.noSql) return "the database is left out, as asked (--no-sql)"
  if (Option.isSome(given.target)) return { _tag: "server", url: given.target.value }
  return databaseToCompare(settings)
}

const ofFiles = Effect.fnUntraced(function* (options: VerifyOptions, why: string) {
  const report = yield* verifyArchive(options)
  return { ...report, sql: { compared: false, why } as const }
})

const ofFilesAndRows = Effect.fnUntraced(function* (options: VerifyOptions) {
  if (!(yield* hasTables))
    return yield* ofFiles(options, "the database has no tables of the observer; observer replay fills it")
  const followed = yield* followedSeqs
  const count = makeHourCount(followed)
  const report = yield* verifyArchive({ ...options, onRecord: count.see })
  const rows = yield* countRows(count, report.stretches, followed)
  const wrong = rowProblems(rows.hours)
  return {
    ...report,
    problems: [...report.problems, ...wrong],
    problemsFound: report.problemsFound + wrong.length,
    sql: { compared: true, ...rows, waiting: count.waiting() } as const
  }
})

const sqlText = (
  sql:
    | { readonly compared: false; readonly why: string }
    | ({ readonly compared: true; readonly waiting: number } & RowComparison)
): ReadonlyArray<string> => {
  if (!sql.compared) return [`SQL: not compared: ${sql.why}`]
  const waiting = sql.waiting === 0 ? [] : [`SQL: ${sql.waiting} lines more wait for the observer to store them`]
  const older = sql.keptFrom === undefined ? [] : [`SQL: ${olderText(sql.older, sql.keptFrom)}`]
  return [...rowsText(sql.hours), ...older, ...waiting]
}

const run = Effect.fnUntraced(function* (given: Given) {
  const days = yield* rangeOf(given.from, given.to)
  const { settings } = yield* readSettings
  yield* needFolder(settings)
  const { clear, onProgress } = yield* verificationProgress
  const options: VerifyOptions = { dataDir: settings.dataDir, ...days, onProgress }
  const database = databaseFor(settings, given)
  const verified =
    typeof database === "string"
      ? ofFiles(options, database)
      : Effect.provide(ofFilesAndRows(options), Database.layer(database)).pipe(
          Effect.catchTag("FolderLocked", (error) => ofFiles(options, inUse(error)))
        )
  const report = yield* Effect.ensuring(verified, clear)
  const text = () => [
    ...(report.problemsFound === 0 ? [] : problemTable(report.problems, report.problemsFound)),
    ...report.notes.map((note) => `note: ${note}`),
    ...sqlText(report.sql),
    summary(report)
  ]
  const { entered: _manifests, ...said } = report
  const lines = given.json ? [JSON.stringify({ clean: report.problemsFound === 0, ...said })] : text()
  yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
  if (report.problemsFound > 0) return yield* new ProgramEnd({ code: found, lines: [] })
})

/** Is the archive what it was when it was written. */
export const verifyCommand = Command.make("verify", flags, (given) =>
  run(given).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags(archiveEnds("; --no-sql verifies the files alone"))
  )
).pipe(
  Command.withShortDescription("Verify the journal's files, and the database against them"),
  Command.withDescription(
    "Reads every file and holds it against the manifest, its neighbours, the day's certificate and the database. Changes nothing. Exit codes: 0 nothing is wrong, 1 something is, 64 a wrong setting or day, 69 the database cannot be used, 73 the folders cannot"
  ),
  Command.withExamples([
    { command: "observer verify", description: "The whole archive, and the database against it" },
    { command: "observer verify --from 2026-11-20 --no-sql", description: "The files of the last days alone" }
  ])
)
