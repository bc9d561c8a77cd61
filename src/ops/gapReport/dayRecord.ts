import { Effect } from "effect"
import { dayFolder, marketMidnight } from "../../calendar/MarketTime.ts"
import { JournalReadError } from "../../journal/JournalError.ts"
import { recordedTimes } from "../../journal/recordedTimes.ts"
import { namedSymbols } from "../certificate/Wanted.ts"
import { makeSilences } from "../Silences.ts"
import { length_ms, type Span } from "../Spans.ts"

/** What there is of a day at all. Instants are UTC milliseconds. */
export interface DayRecord {
  /** When the first and the newest record of the day were made; absent where there is none. */
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
  /** Open hours of which there is no record, and no hole of every symbol says why. */
  readonly unrecorded: ReadonlyArray<Span>
  readonly unrecorded_seconds: number
  /** Whether the symbol asked for was to be observed; absent where none was, or no list says. */
  readonly isObserved: boolean | undefined
}

export interface DayQuestion {
  readonly dataDir: string
  /** `YYYYMMDD`. */
  readonly day: string
  readonly symbol: string | undefined
  /** When the market was open that day. */
  readonly open: ReadonlyArray<Span>
  /** Holes of every symbol. */
  readonly told: ReadonlyArray<Span>
  /** Up to where there should be a record. */
  readonly untilMs: number
}

const day_ms = 86_400_000

/**
 * What there is of a day, by the times of its files: a silence inside one of them is for the certificate to find, which
 * reads every line.
 */
export const dayRecord = Effect.fn("gaps.dayRecord")(
  function* (question: DayQuestion) {
    const { dataDir, day, open, symbol, told, untilMs } = question
    const beginsMs = marketMidnight(day)
    const silences = makeSilences()
    for (const { fromMs, toMs } of yield* recordedTimes(dataDir, dayFolder(day))) {
      if (toMs < beginsMs || fromMs >= beginsMs + day_ms) continue
      silences.see(Math.max(fromMs, beginsMs), Math.min(toMs, beginsMs + day_ms))
    }
    const unrecorded = silences.unrecorded(open, untilMs, told)
    const named = symbol === undefined ? undefined : yield* namedSymbols(dataDir, day)
    return {
      firstMs: silences.firstMs(),
      lastMs: silences.lastMs(),
      unrecorded,
      unrecorded_seconds: Math.round(length_ms(unrecorded)) / 1_000,
      isObserved: symbol === undefined ? undefined : named?.has(symbol)
    } satisfies DayRecord
  },
  Effect.mapError((error) =>
    error._tag === "DiskError" ? new JournalReadError({ file: error.path, detail: error.message }) : error
  )
)
