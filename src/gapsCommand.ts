import { Console, Effect, Layer, Option, References } from "effect"
import { Command, Flag } from "effect/cli"
import { MarketClock, marketNow, rehearsed } from "./calendar/MarketClock.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { marketDate } from "./calendar/MarketTime.ts"
import { dashedDay, dayFlag } from "./commandDays.ts"
import { SymbolCode } from "./domain/SymbolCode.ts"
import { Disk } from "./journal/Disk.ts"
import { renderGaps } from "./ops/gapReport/renderGaps.ts"
import { spokenGaps } from "./ops/gapReport/spokenGaps.ts"
import { Gaps } from "./ops/Gaps.ts"
import { endWith, exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"
import { needFolder } from "./verificationFrame.ts"

const flags = {
  day: dayFlag("day", "Market day, as 2026-11-20 (default: today)").pipe(Flag.optional),
  symbol: Flag.String("symbol").pipe(
    Flag.withSchema(SymbolCode),
    Flag.withDescription("Only what concerns this symbol, holes of every symbol among it"),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("The whole answer as JSON, every hole in it"),
    Flag.withDefault(false)
  )
}

/** What the record does not have of a day. */
export const gapsCommand = Command.make(
  "gaps",
  flags,
  Effect.fnUntraced(
    function* ({ day, json, symbol }) {
      const { settings } = yield* readSettings
      yield* needFolder(settings)
      const { clock, dataDir, session } = settings
      const gaps = Gaps.layer(dataDir).pipe(Layer.provide([Disk.layer, MarketSession.layer(session)]))
      const question = { day: Option.getOrUndefined(day), symbol: Option.getOrUndefined(symbol) }
      const asked = Effect.gen(function* () {
        if (question.day !== undefined && question.day > marketDate(yield* marketNow)) {
          const lines = [`${dashedDay(question.day)} is still to come`]
          return yield* new ProgramEnd({ code: exitCode.settings, lines })
        }
        return yield* Effect.provide(
          Effect.flatMap(Gaps, ({ ask }) => ask(question)),
          gaps
        )
      }).pipe(Effect.catchTag("JournalReadError", (error) => Effect.fail(endWith(exitCode.folders)(error))))
      const answer = yield* clock === undefined ? asked : Effect.provideService(asked, MarketClock, rehearsed(clock))
      const lines = json ? [JSON.stringify(spokenGaps(answer))] : renderGaps(answer)
      yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
    },
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
).pipe(
  Command.withShortDescription("What the record does not have of a day"),
  Command.withDescription(
    "Says what is missing from the record of a day: when nothing ran or no stream was heard, what the broker's counters say was lost, and what was filled afterwards. Reads the journal's files alone, beside a running observer too. Exit codes: 0 it is told, 64 a wrong setting or day, 73 the folder cannot be read"
  ),
  Command.withExamples([
    { command: "observer gaps", description: "What is missing of today" },
    { command: "observer gaps --day 2026-11-20 --symbol 005930", description: "What one symbol lacks of a day" },
    { command: "observer gaps --json | jq .left_all_seconds", description: "For how long nothing at all was recorded" }
  ])
)
