import { Context, Effect, Layer } from "effect"
import { marketNow } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { dayFolder, marketDate, marketMidnight } from "../calendar/MarketTime.ts"
import type { GapCause } from "../domain/Gap.ts"
import { Disk } from "../journal/Disk.ts"
import { GapArchive } from "../journal/GapArchive.ts"
import { GapBook } from "../journal/GapBook.ts"
import { JournalReadError } from "../journal/JournalError.ts"
import { readRetired } from "../journal/RetiredDay.ts"
import { type GapReport, gapReport } from "./GapReport.ts"
import { type DayRecord, dayRecord } from "./gapReport/dayRecord.ts"

export interface GapsQuestion {
  /** A market day, `YYYYMMDD`; today when absent. */
  readonly day?: string | undefined
  readonly symbol?: string | undefined
}

const day_ms = 86_400_000
/** Something is written every minute; the newest may still be on its way. */
const newest_ms = 60_000

/** A hole that is not over yet, which the journal has up to its newest record; its symbol is to be streamed and does not reach us. */
export interface OpenHole {
  readonly symbol: string
  readonly account: string
  readonly cause: GapCause
  /** UTC milliseconds of market time. */
  readonly fromMs: number
}

export interface GapsAnswer {
  readonly report: GapReport
  readonly record: DayRecord
  /** Of today only, and empty where nothing runs. */
  readonly open: ReadonlyArray<OpenHole>
  /** UTC, ISO 8601: since when the day's files are deleted on purpose; no gap of it can be found any more. */
  readonly retiredAt?: string
}

/** What is not in the record, asked of the journal's files: it answers for the running day, and beside a running observer. */
export class Gaps extends Context.Service<
  Gaps,
  {
    /** All of a day, or what concerns one symbol. */
    ask(question: GapsQuestion): Effect.Effect<GapsAnswer, JournalReadError>
  }
>()("observer/ops/Gaps") {
  /** With `openHoles`, what streams are missing now is in the answer too. */
  static readonly layer = (dataDir: string, openHoles: Effect.Effect<ReadonlyArray<OpenHole>> = Effect.succeed([])) =>
    Layer.effect(Gaps, make(dataDir, openHoles))
}

const make = Effect.fnUntraced(function* (dataDir: string, openHoles: Effect.Effect<ReadonlyArray<OpenHole>>) {
  const disk = yield* Disk
  const session = yield* MarketSession
  const archive = new GapArchive(dataDir)

  return Gaps.of({
    ask: Effect.fnUntraced(
      function* ({ day: asked, symbol }) {
        const nowMs = yield* marketNow
        const today = marketDate(nowMs)
        const day = asked ?? today
        const book = new GapBook(day)
        for (const record of yield* archive.gapsOf(day)) book.add(record)
        const fromMs = marketMidnight(day)
        const holes = book.holes()
        const hours = session.openSpans(fromMs, fromMs + day_ms)
        const report = gapReport(holes, { day, symbol, open: hours })
        const record = yield* dayRecord({
          dataDir,
          day,
          symbol,
          open: hours,
          told: holes.filter((hole) => hole.symbol === undefined),
          untilMs: Math.min(fromMs + day_ms, nowMs - newest_ms)
        })
        const open = day === today ? yield* openHoles : []
        const retired = yield* Effect.mapError(
          readRetired(dataDir, dayFolder(day)),
          (error) => new JournalReadError({ file: error.path, detail: error.message })
        )
        const retiredAt = retired === undefined ? {} : { retiredAt: retired.at }
        return {
          ...retiredAt,
          report,
          record,
          open: open.filter((hole) => symbol === undefined || hole.symbol === symbol)
        }
      },
      Effect.provideService(Disk, disk)
    )
  })
})
