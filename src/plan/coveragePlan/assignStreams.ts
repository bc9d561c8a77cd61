import type { AccountAbility, StreamTarget } from "../../domain/Assignment.ts"
import { isIndexCode } from "../../domain/SymbolCode.ts"
import type { PlannedSymbol } from "../PlannedSymbol.ts"

/** A symbol that is streamed now. Times are the machine's, UTC milliseconds. */
export interface Held {
  readonly symbol: string
  readonly account: string
  readonly sinceMs: number
  /** Since when its order book is streamed, too; absent when it is not. */
  readonly bookSinceMs?: number
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
 * has none, and stays with its account. An order book costs a slot of its own, by the same rules; no trades move for it.
 */
export const assignStreams = ({
  accounts,
  books,
  held,
  nowMs,
  symbols
}: StreamInput): ReadonlyMap<string, ReadonlyArray<StreamTarget>> => {
  const slots = accounts.reduce((total, account) => total + account.slots, 0)
  const free = new Map(accounts.map((account) => [account.alias, account.slots]))
  const heldBy = new Map(held.filter(({ account }) => free.has(account)).map((each) => [each.symbol, each]))
  const candidates = symbols.filter(({ symbol }) => !isIndexCode(symbol))
  // So many that the wanted books fit in, too; with few slots half of them.
  const streamed_max = Math.max(slots - books, Math.ceil(slots / 2))
  const chosen = rank(candidates, (symbol) => heldBy.get(symbol)?.sinceMs, nowMs).slice(0, streamed_max)

  const byBook = rank(chosen, (symbol) => heldBy.get(symbol)?.bookSinceMs, nowMs).map(({ symbol }) => symbol)
  const books_max = Math.min(books, slots - chosen.length)
  const { homes, withBook } = seat(chosen, { byBook, books_max, heldBy, free })
  const targets = chosen.map(({ symbol }): StreamTarget => ({ symbol, book: withBook.has(symbol) }))
  return new Map(accounts.map(({ alias }) => [alias, targets.filter(({ symbol }) => homes.get(symbol) === alias)]))
}

interface Seating {
  readonly byBook: ReadonlyArray<string>
  readonly books_max: number
  readonly heldBy: ReadonlyMap<string, Held>
  /** Slots by account; they are taken out of it. */
  readonly free: Map<string, number>
}

/** Each with its own account while that has room, else with the one that has the most; books where the symbol is. */
const seat = (chosen: ReadonlyArray<PlannedSymbol>, { books_max, byBook, free, heldBy }: Seating) => {
  const wished = new Set(byBook.slice(0, books_max))
  const homes = new Map<string, string>()
  const withBook = new Set<string>()
  const take = (alias: string | undefined): alias is string => {
    const left = alias === undefined ? 0 : (free.get(alias) ?? 0)
    if (alias === undefined || left < 1) return false
    free.set(alias, left - 1)
    return true
  }
  const place = (symbol: string, alias: string | undefined) => {
    if (take(alias)) homes.set(symbol, alias)
  }
  const addBook = (symbol: string) => {
    if (withBook.size < books_max && !withBook.has(symbol) && take(homes.get(symbol))) withBook.add(symbol)
  }
  for (const { symbol } of chosen) place(symbol, heldBy.get(symbol)?.account)
  for (const symbol of byBook) if (wished.has(symbol)) addBook(symbol)
  for (const { symbol } of chosen) {
    if (homes.has(symbol)) continue
    place(symbol, mostFree(free))
    if (wished.has(symbol)) addBook(symbol)
  }
  // Slots may be left where nobody is who should have them.
  for (const symbol of byBook) addBook(symbol)
  return { homes, withBook }
}

const mostFree = (free: ReadonlyMap<string, number>): string | undefined =>
  [...free].reduce<readonly [string | undefined, number]>(
    (best, each) => (each[1] > best[1] ? each : best),
    [undefined, 0]
  )[0]

/** The watched, then by activity; in each, first the held while their stay lasts, who then count for more than they are. */
const rank = (
  symbols: ReadonlyArray<PlannedSymbol>,
  heldSinceMs: (symbol: string) => number | undefined,
  nowMs: number
): ReadonlyArray<PlannedSymbol> => {
  const weigh = ({ activity, class: of, symbol }: PlannedSymbol) => {
    const sinceMs = heldSinceMs(symbol)
    const isHeld = sinceMs !== undefined
    const stays = isHeld && nowMs - sinceMs < stay_ms
    return {
      tier: (of === "watch" ? 2 : 0) + (stays ? 1 : 0),
      activity: isHeld && !stays ? activity * livelier : activity,
      isHeld: isHeld ? 1 : 0
    }
  }
  // A stable sort: who is named earlier wins a tie.
  return symbols
    .map((symbol) => ({ symbol, ...weigh(symbol) }))
    .sort((a, b) => b.tier - a.tier || b.activity - a.activity || b.isHeld - a.isHeld)
    .map(({ symbol }) => symbol)
}
