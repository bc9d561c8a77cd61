import { Console, Effect, Layer, Option, References, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { MarketClock, rehearsed } from "./calendar/MarketClock.ts"
import { MarketSession } from "./calendar/MarketSession.ts"
import { marketMidnight } from "./calendar/MarketTime.ts"
import { SymbolCode } from "./domain/SymbolCode.ts"
import { Disk } from "./journal/Disk.ts"
import { renderGaps } from "./ops/gapReport/renderGaps.ts"
import { spokenGaps } from "./ops/gapReport/spokenGaps.ts"
import { Gaps } from "./ops/Gaps.ts"
import { endWith, exitCode } from "./ProgramEnd.ts"
import { readSettings } from "./readSettings.ts"

const compact = (day: string) => day.replaceAll("-", "")

const Day = Schema.String.check(
  Schema.isPattern(/^\d{4}-?\d{2}-?\d{2}$/),
  Schema.makeFilter((day) => (Number.isNaN(marketMidnight(compact(day))) ? "there is no such day" : undefined))
)

const flags = {
  day: Flag.String("day").pipe(
    Flag.withSchema(Day),
    Flag.withDescription("Market day, as 2026-11-20 (default: today)"),
    Flag.optional
  ),
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
      const { clock, dataDir, session } = settings
      const gaps = Gaps.layer(dataDir).pipe(Layer.provide([Disk.layer, MarketSession.layer(session)]))
      const question = { day: Option.getOrUndefined(Option.map(day, compact)), symbol: Option.getOrUndefined(symbol) }
      const asked = Effect.flatMap(Gaps, ({ ask }) => ask(question)).pipe(
        Effect.provide(gaps),
        Effect.mapError(endWith(exitCode.folders))
      )
      const answer = yield* clock === undefined ? asked : Effect.provideService(asked, MarketClock, rehearsed(clock))
      const lines = json ? [JSON.stringify(spokenGaps(answer))] : renderGaps(answer.report)
      yield* Effect.forEach(lines, (line) => Console.log(line), { discard: true })
    },
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
).pipe(
  Command.withShortDescription("What the record does not have of a day"),
  Command.withDescription(
    "Says what is missing from the record of a day: when nothing ran or no stream was heard, what the broker's counters say was lost, and what was filled afterwards. Reads the journal's files alone, beside a running observer too"
  )
)
