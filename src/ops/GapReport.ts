import type { OpenSpan } from "../calendar/Phases.ts"
import type { GapCause } from "../domain/Gap.ts"
import type { DayHole } from "../journal/GapBook.ts"
import { common, length_ms, union } from "./Spans.ts"

/** Holes of some kind together. Seconds are of the market's open hours; where holes lie over each other they count once. */
export interface GapSums {
  readonly holes: number
  /** Holes that lack nothing any longer, and those of which something was found. */
  readonly repaired: number
  readonly partly: number
  /** How long symbols were not heard, one after the other, and how much of that was not filled again. */
  readonly symbol_seconds: number
  readonly left_symbol_seconds: number
  /** What the broker's counters say was lost, and what of it came after all. */
  readonly lostTrades: number
  readonly lostShares: number
  readonly foundTrades: number
  readonly foundShares: number
}

/** What is not in the record of a day, as its gap records tell. */
export interface GapReport {
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** The one that was asked for. */
  readonly symbol?: string
  /** How long the market was open that day, by the calendar. */
  readonly market_seconds: number
  /** How long nothing at all was recorded: the holes of every symbol, and what is left of them. */
  readonly all_seconds: number
  readonly left_all_seconds: number
  readonly total: GapSums
  readonly causes: ReadonlyArray<GapSums & { readonly cause: GapCause }>
  /** By symbol, those with most that is missing first. Holes of every symbol are in `all_seconds`, not here, unless a symbol was asked for. */
  readonly symbols: ReadonlyArray<GapSums & { readonly symbol: string }>
  readonly holes: ReadonlyArray<DayHole>
}

export interface GapQuestion {
  /** `YYYYMMDD`. */
  readonly day: string
  readonly symbol?: string | undefined
  /** When the market was open that day. */
  readonly open: ReadonlyArray<OpenSpan>
}

/** Answers what is missing of a day, of all symbols or of one; a hole of every symbol is one of each. */
export const gapReport = (holes: ReadonlyArray<DayHole>, { day, open, symbol }: GapQuestion): GapReport => {
  const asked = symbol === undefined ? holes : holes.filter((hole) => (hole.symbol ?? symbol) === symbol)
  const ofAll = asked.filter((hole) => hole.symbol === undefined)
  // Asked for alone, a symbol has the holes of every symbol too.
  const own = symbol === undefined ? asked : asked.map((hole) => ({ ...hole, symbol }))
  const bySymbol = grouped(own, (hole) => hole.symbol)
  const symbols = [...bySymbol].map(([code, its]) => ({ symbol: code, ...sums(its, open) }))
  return {
    day: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`,
    ...(symbol === undefined ? {} : { symbol }),
    market_seconds: seconds(length_ms(open)),
    all_seconds: seconds(missed_ms(ofAll, open, ({ fromMs }) => fromMs)),
    left_all_seconds: seconds(missed_ms(ofAll, open, ({ leftFromMs }) => leftFromMs)),
    total: sums(own, open),
    causes: [...grouped(own, ({ cause }) => cause)].map(([cause, its]) => ({ cause, ...sums(its, open) })),
    symbols: symbols.sort(
      (a, b) =>
        b.left_symbol_seconds - a.left_symbol_seconds ||
        b.lostTrades - b.foundTrades - (a.lostTrades - a.foundTrades) ||
        b.lostShares - b.foundShares - (a.lostShares - a.foundShares) ||
        (a.symbol < b.symbol ? -1 : 1)
    ),
    holes: asked
  }
}

const seconds = (ms: number) => Math.round(ms) / 1_000

const grouped = <K>(
  holes: ReadonlyArray<DayHole>,
  keyOf: (hole: DayHole) => K | undefined
): ReadonlyMap<K, ReadonlyArray<DayHole>> => {
  const groups = new Map<K, Array<DayHole>>()
  for (const hole of holes) {
    const key = keyOf(hole)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [hole])
    else group.push(hole)
  }
  return groups
}

/** Trades that are missed while the stream was up are counted in trades: between them everything was heard. */
const missed_ms = (
  holes: ReadonlyArray<DayHole>,
  open: ReadonlyArray<OpenSpan>,
  from: (hole: DayHole) => number
): number => {
  const spans = holes.flatMap((hole) => (hole.cause === "continuity" ? [] : [{ fromMs: from(hole), toMs: hole.toMs }]))
  return length_ms(common(union(spans), open))
}

const sums = (holes: ReadonlyArray<DayHole>, open: ReadonlyArray<OpenSpan>): GapSums => {
  const each = [...grouped(holes, ({ symbol }) => symbol).values()]
  const total = (of: (hole: DayHole) => number) => holes.reduce((sum, hole) => sum + of(hole), 0)
  return {
    holes: holes.length,
    repaired: holes.filter(({ repair }) => repair === "whole").length,
    partly: holes.filter(({ repair }) => repair === "partly").length,
    symbol_seconds: seconds(each.reduce((sum, own) => sum + missed_ms(own, open, ({ fromMs }) => fromMs), 0)),
    left_symbol_seconds: seconds(
      each.reduce((sum, own) => sum + missed_ms(own, open, ({ leftFromMs }) => leftFromMs), 0)
    ),
    lostTrades: total(({ lostTrades }) => lostTrades),
    lostShares: total(({ lostShares }) => lostShares),
    foundTrades: total(({ foundTrades }) => foundTrades),
    foundShares: total(({ foundShares }) => foundShares)
  }
}
