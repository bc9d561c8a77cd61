import { Console, Effect, Option, References, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { Disk } from "./journal/Disk.ts"
import { auditLedger } from "./ops/LedgerAudit.ts"
import { renderAudit } from "./ops/ledgerAudit/renderAudit.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { table } from "./Settings.ts"

/** Something is missing, invented or there twice. */
const found = 1

const flags = {
  ledger: Flag.Directory("ledger", { mustExist: true }).pipe(
    Flag.withDescription("Folder of the ledger, as it was given to the simulator")
  ),
  journal: Flag.Directory("journal", { mustExist: true }).pipe(
    Flag.withDescription("Folder of the journal (default: OBSERVER_DATA_DIR)"),
    Flag.optional
  ),
  key: Flag.String("key").pipe(
    Flag.withDescription("Only what was sent to this app key, by its mark in the ledger or the beginning of it"),
    Flag.optional
  ),
  slack_ms: Flag.Int("slack-ms").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))),
    Flag.withDescription("Milliseconds allowed at the ends of a gap and of the journal (default: 2000)"),
    Flag.withDefault(2_000)
  ),
  clock: Flag.String("clock").pipe(
    Flag.withDescription("OBSERVER_CLOCK of the rehearsal that the journal is of (default: real)"),
    Flag.mapTryCatch(
      (text) => Result.getOrThrowWith(table.clock.value.parse(text), (words) => new Error(words)),
      (error) => (error instanceof Error ? error.message : String(error))
    ),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("The whole report as JSON, every symbol in it"),
    Flag.withDefault(false)
  )
}

const journalOf = (given: Option.Option<string>) =>
  Option.isSome(given) ? Effect.succeed(given.value) : Effect.map(readSettings, ({ settings }) => settings.dataDir)

/** What the simulator sent against what the journal has. */
export const auditCommand = Command.make(
  "audit-ledger",
  flags,
  Effect.fnUntraced(
    function* ({ clock, journal, json, key, ledger, slack_ms }) {
      const dataDir = yield* journalOf(journal)
      const report = yield* auditLedger({
        ledgerDir: ledger,
        dataDir,
        slack_ms,
        key: Option.getOrUndefined(key),
        clock: Option.getOrUndefined(clock)
      }).pipe(Effect.mapError(endWith(exitCode.folders)))
      const lines = json ? [JSON.stringify(report)] : renderAudit(report)
      yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
      if (!report.clean) return yield* new ProgramEnd({ code: found, lines: [] })
    },
    Effect.provide(Disk.layer),
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
).pipe(
  Command.withShortDescription("Compare a simulator's ledger with the journal"),
  Command.withDescription(
    "Compares everything a simulator has sent with the journal. Exit codes: 0 nothing is missing without a gap record, invented or there twice, 1 something is, 64 a wrong setting, 73 the folders cannot be read"
  ),
  Command.withExamples([
    { command: "observer audit-ledger --ledger ./ledger", description: "A ledger against the journal of the settings" }
  ])
)
