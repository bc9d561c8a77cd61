import { type GapCause, gapCauses } from "../../domain/Gap.ts"
import type { JournalRecord } from "../../domain/JournalRecord.ts"
import type { Span } from "./Spans.ts"

/** A hole, put together from every record of it. */
export interface DayGap extends Span {
  readonly cause: GapCause
  /** Absent: of every symbol. */
  readonly symbol?: string
  readonly lostVolume: number
  readonly lostTrades: number
  /** Found afterwards, and whether nothing is missing any longer; absent where nobody looked. */
  readonly repair?: { readonly isWhole: boolean; readonly trades: number; readonly volume: number }
}

/** Gaps told apart; beyond, a day is no day of holes but one hole. */
const gaps_max = 100_000

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const numberOf = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : 0)

const repairOf = (repairedBy: unknown): DayGap["repair"] => {
  if (typeof repairedBy === "string") return { isWhole: true, trades: 0, volume: 0 }
  if (!isObject(repairedBy)) return undefined
  const { complete, trades, volume } = repairedBy
  return { isWhole: complete === true, trades: numberOf(trades), volume: numberOf(volume) }
}

/**
 * The holes of a day from its gap records: a record of the same hole (symbol, cause and beginning) extends it, closes it
 * or says what filled it. What the broker does not answer for is a hole until it does.
 */
export const makeDayGaps = () => {
  const gaps = new Map<string, DayGap>()
  /** Symbols that are not covered, since when, until something of them is seen. */
  const uncovered = new Map<string, number>()
  let dropped = 0

  const add = (gap: DayGap): void => {
    const key = `${gap.symbol ?? ""} ${gap.cause} ${gap.fromMs}`
    const before = gaps.get(key)
    if (before === undefined && gaps.size >= gaps_max) return void (dropped += 1)
    const { repair = before?.repair } = gap
    const found = before?.repair
    gaps.set(key, {
      ...gap,
      toMs: Math.max(gap.toMs, before?.toMs ?? gap.toMs),
      lostVolume: Math.max(gap.lostVolume, before?.lostVolume ?? 0),
      lostTrades: Math.max(gap.lostTrades, before?.lostTrades ?? 0),
      ...(repair && {
        repair:
          gap.repair === undefined || found === undefined
            ? repair
            : { isWhole: repair.isWhole, trades: found.trades + repair.trades, volume: found.volume + repair.volume }
      })
    })
  }
  const close = (symbol: string, toMs: number): void => {
    const fromMs = uncovered.get(symbol)
    if (fromMs === undefined) return
    uncovered.delete(symbol)
    add({ fromMs, toMs, cause: "notCovered", symbol, lostVolume: 0, lostTrades: 0 })
  }

  return {
    gap: ({ payload, symbol: own }: JournalRecord): void => {
      if (!isObject(payload)) return
      const { cause, from, lostTrades, lostVolume, repairedBy, symbol = own, to } = payload
      const known = gapCauses.find((each) => each === cause)
      const [fromMs, toMs] = [Date.parse(String(from)), Date.parse(String(to))]
      if (known === undefined || !(fromMs <= toMs)) return
      const named = typeof symbol === "string" ? { symbol } : {}
      if (known === "notCovered" && fromMs === toMs && named.symbol !== undefined) {
        if (!uncovered.has(named.symbol)) uncovered.set(named.symbol, fromMs)
        return
      }
      const repair = repairOf(repairedBy)
      add({
        fromMs,
        toMs,
        cause: known,
        ...named,
        lostVolume: numberOf(lostVolume),
        lostTrades: numberOf(lostTrades),
        ...(repair && { repair })
      })
    },
    /** Something of a symbol was seen. */
    seen: (symbol: string, atMs: number): void => {
      if (uncovered.size > 0) close(symbol, atMs)
    },
    /** Every hole so far; what is not covered is so until `endMs`. */
    at: (endMs: number): ReadonlyArray<DayGap> => {
      for (const symbol of [...uncovered.keys()]) close(symbol, endMs)
      return [...gaps.values()].sort((a, b) => a.fromMs - b.fromMs)
    },
    dropped: () => dropped
  }
}
export type DayGaps = ReturnType<typeof makeDayGaps>
