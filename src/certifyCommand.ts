import { Console, Effect, Option, References } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { MarketClock, marketNow, rehearsed } from "./calendar/MarketClock.ts"
import { dayFolder } from "./calendar/MarketTime.ts"
import { dayArgument } from "./commandDays.ts"
import { recall, saidDays } from "./feed/holidayKeeper/CalendarMemory.ts"
import { Disk } from "./journal/Disk.ts"
import { JournalReadError } from "./journal/JournalError.ts"
import { readRetired } from "./journal/RetiredDay.ts"
import { listDays, listSegments } from "./journal/Segments.ts"
import { certificateFiles } from "./journal/Signature.ts"
import { certifyDay, type CertifyOptions } from "./ops/certificate/certifyDay.ts"
import { dueAt } from "./ops/certificate/dueAt.ts"
import { makeRowCount, noRows } from "./ops/certificate/rowCount.ts"
import { certificateLines } from "./ops/certificate/certificateLines.ts"
import { archiveEnds } from "./archiveEnds.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import type { Settings } from "./Settings.ts"
import * as Database from "./sql/Database.ts"
import { databaseToCompare, inUse, needFolder, verificationProgress } from "./verificationFrame.ts"
import { version } from "./version.ts"

/** The day is not complete, or its files are damaged. */
const wanting = 1

const flags = {
  day: dayArgument("day", "The day, in market time; the newest one that is over if not given").pipe(Argument.optional),
  missing: Flag.Boolean("missing").pipe(
    Flag.withDescription("Leave a day alone that has its certificate"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("Print the certificate as JSON"), Flag.withDefault(false))
}

/** Whose calendar is remembered: the broker's, or that of a server in its place. */
const placeOf = ({ kisEnv, kisRestUrl, sourceMode }: Settings): string =>
  kisRestUrl !== undefined ? new URL(kisRestUrl).host : sourceMode === "kis" ? kisEnv : "simulator"

const newestDay = Effect.fnUntraced(
  function* (dataDir: string, calendar: Pick<CertifyOptions, "mode" | "said">, nowMs: number) {
    for (const folder of (yield* listDays(dataDir)).toReversed()) {
      const day = folder.replaceAll("/", "")
      const isOver = (dueAt(day, calendar) ?? Number.POSITIVE_INFINITY) <= nowMs
      if (isOver && (yield* listSegments(dataDir, folder)).length > 0) return day
    }
    return undefined
  },
  Effect.mapError((error) => new JournalReadError({ file: error.path, detail: error.message }))
)

const hasFiles = Effect.fnUntraced(
  function* (dataDir: string, day: string) {
    return (yield* listSegments(dataDir, dayFolder(day))).length > 0
  },
  Effect.mapError((error) => new JournalReadError({ file: error.path, detail: error.message }))
)

const isRetired = Effect.fnUntraced(
  function* (dataDir: string, day: string) {
    return (yield* readRetired(dataDir, dayFolder(day))) !== undefined
  },
  Effect.mapError((error) => new JournalReadError({ file: error.path, detail: error.message }))
)

/** Certifies with the rows of the database beside the lines, where there is one that can be asked. */
const withRows = (options: Omit<CertifyOptions, "rows">, settings: Settings) => {
  const database = databaseToCompare(settings)
  if (typeof database === "string") return certifyDay({ ...options, rows: noRows(database) })
  const beside = Effect.flatMap(makeRowCount, (rows) => certifyDay({ ...options, rows }))
  return Effect.provide(beside, Database.layer(database)).pipe(
    Effect.catchTag("FolderLocked", (error) => certifyDay({ ...options, rows: noRows(inUse(error)) }))
  )
}

const run = Effect.fnUntraced(function* (given: Command.Command.Config.Infer<typeof flags>, settings: Settings) {
  yield* needFolder(settings)
  const { dataDir, session: mode, stateDir } = settings
  const said = saidDays(yield* recall(stateDir, placeOf(settings)))
  const nowMs = yield* marketNow
  const asked = Option.getOrUndefined(given.day) ?? (yield* newestDay(dataDir, { mode, said }, nowMs))
  const none = (words: string) => new ProgramEnd({ code: exitCode.settings, lines: [words] })
  if (asked === undefined) return yield* none(`there is no day in ${dataDir} that is over: name one`)
  // What was certified is not to be replaced by what is left.
  if (yield* isRetired(dataDir, asked)) {
    return yield* none(`the files of ${dayFolder(asked)} were deleted by the retention: its certificate stays as it is`)
  }
  if (given.missing && existsSync(join(dataDir, dayFolder(asked), certificateFiles.json))) {
    return yield* Console.log(`${dayFolder(asked).replaceAll("/", "-")} has its certificate, which stays as it is`)
  }
  if (!(yield* hasFiles(dataDir, asked))) return yield* none(`there are no files of ${dayFolder(asked)} in ${dataDir}`)
  const { clear, onProgress } = yield* verificationProgress
  const options = { dataDir, day: asked, version, mode, said, nowMs, onProgress }
  const { certificate, file } = yield* Effect.ensuring(withRows(options, settings), clear)
  const lines = given.json ? [JSON.stringify(certificate)] : certificateLines(certificate, file)
  yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
  if (certificate.verdict === "damaged" || certificate.verdict === "incomplete") {
    return yield* new ProgramEnd({ code: wanting, lines: [] })
  }
})

/** What a day's record is worth, in writing. */
export const certifyCommand = Command.make("certify", flags, (given) =>
  Effect.gen(function* () {
    const { settings } = yield* readSettings
    const { clock } = settings
    const certified = run(given, settings)
    return yield* clock === undefined ? certified : Effect.provideService(certified, MarketClock, rehearsed(clock))
  }).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags(archiveEnds())
  )
).pipe(
  Command.withShortDescription("Certify a day: what was to be seen, what was, and what is missing"),
  Command.withDescription(
    "Reads a day's files and writes CERTIFICATE.json, CERTIFICATE.html and CERTIFICATE.sha256 beside them, in place of older ones unless --missing is given. Exit codes: 0 the day is complete but for named holes, 1 it is incomplete or damaged, 64 a wrong setting or day, 69 the database cannot be used, 73 the folders cannot"
  ),
  Command.withExamples([
    { command: "observer certify", description: "The newest day that is over" },
    { command: "observer certify 2026-11-20 --json | jq .verdict", description: "Another one, for a program" }
  ])
)
