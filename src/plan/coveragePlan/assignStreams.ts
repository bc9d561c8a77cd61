import type { AccountAbility, StreamTarget } from "../../domain/Assignment.ts"
import { isIndexCode } from "../../domain/SymbolCode.ts"
import type { PlannedSymbol } from "../PlannedSymbol.ts"

/** A symbol that is streamed now. */
export interface Held {
  readonly symbol: string
  readonly account: string
  /** Machine time, UTC milliseconds. */
  readonly sinceMs: number
}

export interface StreamInput {
  readonly symbols: ReadonlyArray<PlannedSymbol>
  readonly accounts: ReadonlyArray<AccountAbility>
  readonly books: number
  readonly held: ReadonlyArray<Held>
  readonly nowMs: number
}

/** A streamed symbol keeps its slot for so long, whoever has become livelier: the broker blocks keys that churn. */
const stay_ms = 600_000
/** Then it gives way only to one that is so much livelier. */
const livelier = 1.5

/**
 * Who streams what. The watched come first, then the liveliest; whoever has a slot keeps it unless somebody much livelier
 * has none, and stays with its account. An order book costs a slot of its own.
 */
export const assignStreams = ({
  accounts,
  books,
  held,
  nowMs,
  symbols
}: StreamInput): ReadonlyMap<string, ReadonlyArray<StreamTarget>> => {
  const slots = accounts.reduce((total, account) => total + account.slots, 0)
  const streams = new Map<string, Array<StreamTarget>>(accounts.map(({ alias }) => [alias, []]))
  const heldBy = new Map(held.filter(({ account }) => streams.has(account)).map((each) => [each.symbol, each]))
  const ranked = rank(symbols, heldBy, nowMs)
  const chosen = choose(ranked, slots, books)
  const free = new Map(accounts.map((account) => [account.alias, account.slots]))
  const give = (alias: string, target: StreamTarget) => {
    streams.get(alias)?.push(target)
    free.set(alias, (free.get(alias) ?? 0) - costOf(target))
  }
  const homeless: Array<StreamTarget> = []
  for (const target of chosen) {
    const home = heldBy.get(target.symbol)?.account
    if (home !== undefined && (free.get(home) ?? 0) >= costOf(target)) give(home, target)
    else homeless.push(target)
  }
  for (const target of homeless) {
    const [alias] = [...free].reduce((best, each) => (each[1] > best[1] ? each : best), ["", 0])
    if ((free.get(alias) ?? 0) >= costOf(target)) give(alias, target)
    // The last slots may lie one by one with several accounts: then the book is left out.
    else if ((free.get(alias) ?? 0) >= 1) give(alias, { ...target, book: false })
  }
  return streams
}

const costOf = ({ book }: StreamTarget): number => (book ? 2 : 1)

/** Takes symbols in order until the slots are used; the first so many with their book. */
const choose = (ranked: ReadonlyArray<PlannedSymbol>, slots: number, books: number): ReadonlyArray<StreamTarget> => {
  const chosen: Array<StreamTarget> = []
  let left = slots
  for (const { symbol } of ranked) {
    if (left < 1) break
    const target = { symbol, book: chosen.length < books && left >= 2 }
    left -= costOf(target)
    chosen.push(target)
  }
  return chosen
}

/** The watched, then by activity, in which the held count for more than they are: for all while their stay lasts. */
const rank = (
  symbols: ReadonlyArray<PlannedSymbol>,
  heldBy: ReadonlyMap<string, Held>,
  nowMs: number
): ReadonlyArray<PlannedSymbol> => {
  const weight = ({ activity, symbol, ...each }: PlannedSymbol): readonly [number, number] => {
    if (each.class === "watch") return [2, activity]
    const sinceMs = heldBy.get(symbol)?.sinceMs
    if (sinceMs === undefined) return [0, activity]
    return nowMs - sinceMs < stay_ms ? [1, activity] : [0, activity * livelier]
  }
  return symbols
    .filter(({ symbol }) => !isIndexCode(symbol))
    .map((symbol, index) => ({ symbol, index, weight: weight(symbol) }))
    .sort((a, b) => b.weight[0] - a.weight[0] || b.weight[1] - a.weight[1] || a.index - b.index)
    .map(({ symbol }) => symbol)
}
