import type { GapCause } from "../../domain/Gap.ts"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import { GapBook } from "../../journal/GapBook.ts"
import type { Span } from "../Spans.ts"

/** A hole, put together from every record of it. */
export interface DayGap extends Span {
  readonly cause: GapCause
  /** Absent: of every symbol. */
  readonly symbol?: string
  readonly lostVolume: number
  readonly lostTrades: number
  readonly foundVolume: number
  readonly foundTrades: number
  readonly repair: "none" | "partly" | "whole"
  /** What is missing still begins here: at the end, when nothing is. */
  readonly leftFromMs: number
}

/** What is still missing of a hole. */
export const leftOf = ({ leftFromMs, toMs }: DayGap): Span => ({ fromMs: leftFromMs, toMs })

const textAt = (payload: object, key: string): string | undefined => {
  const value: unknown = Object.entries(payload).find(([name]) => name === key)?.[1]
  return typeof value === "string" ? value : undefined
}

const notCovered = (symbol: string, fromMs: number, toMs: number): DayGap => ({
  fromMs,
  toMs,
  cause: "notCovered",
  symbol,
  lostVolume: 0,
  lostTrades: 0,
  foundVolume: 0,
  foundTrades: 0,
  repair: "none",
  leftFromMs: fromMs
})

/**
 * The holes of a market day (`YYYYMMDD`) from its gap records. The book puts them together; what the broker does not
 * answer for is told once, without an end, and is a hole until something of the symbol is seen.
 */
export const makeDayGaps = (day: string) => {
  const book = new GapBook(day)
  const uncovered = new Map<string, number>()
  const closed: Array<DayGap> = []

  const close = (symbol: string, toMs: number): void => {
    const fromMs = uncovered.get(symbol)
    if (fromMs === undefined) return
    uncovered.delete(symbol)
    closed.push(notCovered(symbol, fromMs, Math.max(fromMs, toMs)))
  }

  return {
    gap: (record: JournalRecord): void => {
      const { payload, symbol = textAt(payload, "symbol") } = record
      const fromMs = Date.parse(textAt(payload, "from") ?? "")
      const isMoment = textAt(payload, "from") === textAt(payload, "to")
      const isUncovered = textAt(payload, "cause") === "notCovered" && isMoment
      if (!isUncovered || symbol === undefined || Number.isNaN(fromMs)) return book.add(record)
      if (!uncovered.has(symbol)) uncovered.set(symbol, fromMs)
    },
    /** Something of a symbol was seen. */
    seen: (symbol: string, atMs: number): void => {
      if (uncovered.size > 0) close(symbol, atMs)
    },
    /** Every hole so far; what is not covered is so until `endMs`. */
    at: (endMs: number): ReadonlyArray<DayGap> => {
      for (const symbol of uncovered.keys()) close(symbol, endMs)
      const holes = book.holes().map(({ foundShares, lostShares, symbol, ...hole }): DayGap => ({
        ...hole,
        ...(symbol === undefined ? {} : { symbol }),
        lostVolume: lostShares,
        foundVolume: foundShares
      }))
      return [...holes, ...closed].sort((a, b) => a.fromMs - b.fromMs)
    }
  }
}
export type DayGaps = ReturnType<typeof makeDayGaps>
