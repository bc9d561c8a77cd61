import { Schema } from "effect"
import { marketMidnight } from "../../calendar/MarketTime.ts"
import { gapCauses } from "../../domain/Gap.ts"
import { SymbolCode } from "../../domain/SymbolCode.ts"

const { Array: List, Finite, Int, Literals, optionalKey, String: Text, Struct } = Schema

const Day = Text.check(
  // Of a pattern without the flag `u` a description in JSON Schema would say nothing.
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}$/u),
  Schema.makeFilter((day) =>
    Number.isNaN(marketMidnight(day.replaceAll("-", ""))) ? `${day} is not a day such as 2026-11-20` : undefined
  )
)

export const GapQuery = Struct({ day: optionalKey(Day), symbol: optionalKey(SymbolCode) })

const Cause = Literals(gapCauses)

const sums = {
  holes: Int,
  repaired: Int,
  partly: Int,
  symbol_seconds: Finite,
  left_symbol_seconds: Finite,
  lostTrades: Int,
  lostShares: Finite,
  foundTrades: Int,
  foundShares: Finite
}

export const GapReport = Struct({
  day: Text,
  symbol: optionalKey(Text),
  /** Of any record of the day; absent: there is none. */
  firstReceivedAt: optionalKey(Text),
  lastReceivedAt: optionalKey(Text),
  /** Since when the day's files are deleted by the retention: no gap of it can be found any more, its certificate says what was missing. */
  retiredAt: optionalKey(Text),
  /** Whether the symbol asked for was to be observed that day; absent where no list says. */
  isObserved: optionalKey(Schema.Boolean),
  /** Open hours of which there is no record, and no gap says why. */
  unrecorded_seconds: Finite,
  unrecorded: List(Struct({ from: Text, to: Text })),
  market_seconds: Finite,
  all_seconds: Finite,
  left_all_seconds: Finite,
  total: Struct(sums),
  causes: List(Struct({ cause: Cause, ...sums })),
  symbols: List(Struct({ symbol: Text, ...sums })),
  holes: List(
    Struct({
      cause: Cause,
      /** Absent: of every symbol. */
      symbol: optionalKey(Text),
      from: Text,
      to: Text,
      lostTrades: Int,
      lostShares: Finite,
      foundTrades: Int,
      foundShares: Finite,
      repair: Literals(["none", "partly", "whole"]),
      leftFrom: Text
    })
  ),
  /** Of today: what streams are missing now, told by a gap once it is over. */
  open: List(Struct({ symbol: Text, account: Text, cause: Cause, from: Text }))
}).annotate({ identifier: "GapReport" })

/** A file of the journal, or a certificate of it, cannot be read. */
export class RecordUnreadable extends Schema.TaggedError<RecordUnreadable>()(
  "RecordUnreadable",
  { error: Text },
  { httpApiStatus: 500 }
) {}
