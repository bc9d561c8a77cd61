import { Clock, Console, Effect, Option, References, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { dayFlag, rangeOf } from "./commandDays.ts"
import { type RecordKind, recordKinds } from "./domain/JournalRecord.ts"
import { parseCodes } from "./domain/SymbolSelection.ts"
import { Disk } from "./journal/Disk.ts"
import { listArchive } from "./journal/Reader.ts"
import { type ExportedFile, exportJournal, type ExportTarget } from "./ops/Export.ts"
import { isNameless } from "./ops/export/ExportColumn.ts"
import { fileFormats } from "./ops/export/FileFormat.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { archiveProgress } from "./ops/progressText.ts"
import { makeProgress } from "./progressLine.ts"
import { readSettings } from "./readSettings.ts"

/** Reads a value of a flag; throws an `Error` that says what is wrong with it. */
type Parse<A> = (text: string) => A

const parsed = <A>(name: string, parse: Parse<A>, meaning: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(meaning),
    Flag.mapTryCatch(parse, (error) => (error instanceof Error ? error.message : String(error)))
  )

const kindsOf: Parse<ReadonlySet<RecordKind>> = (text) => {
  const words = text.split(",")
  const kinds = recordKinds.filter((kind) => words.includes(kind))
  const wrong = words.filter((word) => !recordKinds.some((kind) => kind === word))
  if (wrong.length > 0) throw new Error(`${wrong.join(", ")} is none of ${recordKinds.join(", ")}`)
  return new Set(kinds)
}

const symbolsOf: Parse<ReadonlySet<string>> = (text) =>
  new Set(Result.getOrThrowWith(parseCodes(text.split(",")), (words) => new Error(words)))

const flags = {
  format: Flag.Literals("format", fileFormats).pipe(
    Flag.withDescription("Form of the files"),
    Flag.withDefault("parquet")
  ),
  day: dayFlag("day", "The day, in market time, such as 2026-11-20"),
  to: dayFlag("to", "The last day, where more than one is wanted").pipe(Flag.optional),
  kind: parsed("kind", kindsOf, `Only these kinds, of ${recordKinds.join(",")}`).pipe(
    Flag.withDefault(new Set(recordKinds) as ReadonlySet<RecordKind>)
  ),
  symbol: parsed("symbol", symbolsOf, "Only these symbols, such as 005930,000660").pipe(Flag.optional),
  columns: Flag.Literals("columns", ["record", "raw"]).pipe(
    Flag.withDescription("raw: each of the broker's values of a trade and a book in a column of its own as well"),
    Flag.withDefault("record")
  ),
  out: Flag.String("out").pipe(
    Flag.withDescription(
      "Folder for a file a day and kind (default: var/export), or a file ending in .parquet or .csv for all of it"
    ),
    Flag.withDefault("var/export")
  ),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Replace files that are there already"),
    Flag.withDefault(false)
  )
}
type Given = Command.Command.Config.Infer<typeof flags>

const wrong = (line: string) => new ProgramEnd({ code: exitCode.settings, lines: [line] })

/** What is asked for, or what in it contradicts itself. */
const targetOf = ({ columns, format, kind, out }: Given): Effect.Effect<ExportTarget, ProgramEnd> => {
  const named = fileFormats.find((each) => out.toLowerCase().endsWith(`.${each}`))
  if (named === undefined) return Effect.succeed({ _tag: "Folder", path: out })
  if (named !== format) return Effect.fail(wrong(`--out ${out} is not the name of a ${format} file; see --format`))
  if (columns === "raw" && (kind.size > 1 || ![...kind].every(isNameless))) {
    return Effect.fail(wrong("--columns raw: the broker's columns differ by kind; name one with --kind, or a folder"))
  }
  return Effect.succeed({ _tag: "File", path: out })
}

const size = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

const say = Effect.fnUntraced(function* (files: ReadonlyArray<ExportedFile>, openFiles: number, elapsed_ms: number) {
  const sum = (of: (file: ExportedFile) => number) => files.reduce((total, file) => total + of(file), 0)
  for (const { bytes, file, rows } of files) yield* Console.log(`${file}: ${rows} rows, ${size(bytes)}`)
  yield* Console.log(`${sum(({ rows }) => rows)} rows in ${(elapsed_ms / 1_000).toFixed(1)} s`)
  const notWhole = sum((file) => file.notWhole)
  if (openFiles > 0)
    yield* Console.log(`${openFiles} of the journal's files are still written; what comes later is not in this`)
  if (notWhole > 0) {
    yield* Console.log(
      `${notWhole} numbers of shares are not whole and left empty; the payload has what the broker sent`
    )
  }
})

const run = Effect.fnUntraced(function* (given: Given) {
  const { columns, day, format, kind, overwrite } = given
  const target = yield* targetOf(given)
  yield* rangeOf(Option.some(day), given.to, ["--day", "--to"])
  const { settings } = yield* readSettings
  const range = { dataDir: settings.dataDir, fromDay: day, toDay: Option.getOrElse(given.to, () => day) }
  const archive = yield* listArchive(range)
  const totalBytes = archive.reduce((sum, { bytes }) => sum + bytes, 0)
  const startedAtMs = yield* Clock.currentTimeMillis
  const { clear, onProgress } = yield* makeProgress(process.stdout, archiveProgress(totalBytes))
  const files = yield* Effect.ensuring(
    exportJournal({
      ...range,
      format,
      target,
      overwrite,
      kinds: kind,
      symbols: Option.getOrUndefined(given.symbol),
      withBrokerColumns: columns === "raw",
      onProgress
    }),
    clear
  )
  if (files.length === 0) {
    return yield* Console.log(`nothing to export: no such record in ${settings.dataDir} for these days`)
  }
  const openFiles = archive.filter(({ segment }) => segment.open).length
  yield* say(files, openFiles, (yield* Clock.currentTimeMillis) - startedAtMs)
})

/** The journal as files for other programs. */
export const exportCommand = Command.make("export", flags, (given) =>
  run(given).pipe(
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchTags({
      JournalReadError: (error) => Effect.fail(endWith(exitCode.folders)(error)),
      ExportFailed: (error) => Effect.fail(endWith(exitCode.folders)(error))
    })
  )
).pipe(
  Command.withShortDescription("Write days of the journal as Parquet or CSV"),
  Command.withDescription(
    "Writes days of the journal as Parquet or CSV, a file a day and kind. Where there is nothing to export it says so and ends with 0. Exit codes: 0 it is written, 64 a wrong setting or day, 73 the folders cannot be used"
  ),
  Command.withExamples([
    { command: "observer export --day 2026-11-20 --kind trade", description: "The trades of a day as Parquet" },
    { command: "observer export --day 2026-11-20 --symbol 005930 --format csv", description: "One symbol as CSV" }
  ])
)
