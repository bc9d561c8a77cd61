import { marketMidnight } from "../calendar/MarketTime.ts"
import { type GapCause, gapCauses, type GapPayload } from "../domain/Gap.ts"
import type { JournalRecord } from "../domain/JournalRecord.ts"
import { bySymbol } from "./gapBook/bySymbol.ts"
import { makeOwners } from "./gapBook/owners.ts"

/** What a record tells of a hole, if it is a gap. */
export interface GapRecord extends Pick<JournalRecord, "kind" | "payload"> {
  readonly symbol?: string | undefined
}

/** One hole of a day, put together from all that was written of it. Times are UTC milliseconds, cut to the market day. */
export interface DayHole {
  readonly cause: GapCause
  /** Absent where it is of every symbol, as of a time in which nothing ran. */
  readonly symbol: string | undefined
  readonly fromMs: number
  readonly toMs: number
  /** What the broker's counters say was lost in it; shares without trades are those of an auction's print. */
  readonly lostTrades: number
  readonly lostShares: number
  /** What came after all, late or from a list. */
  readonly foundTrades: number
  readonly foundShares: number
  /** `whole`: nothing is missing any longer. `partly`: something was found, or looked for, and it is not known to be all. */
  readonly repair: "none" | "partly" | "whole"
  /** What is missing still begins here: at the end, when nothing is. */
  readonly leftFromMs: number
}

interface Entry {
  readonly cause: GapCause
  readonly symbol: string | undefined
  readonly fromMs: number
  toMs: number
  /** Up to where it was filled, and up to where filled to the last trade. */
  filledToMs: number
  wholeToMs: number
  lostTrades: number
  lostShares: number
  foundTrades: number
  foundShares: number
}

const day_ms = 86_400_000

/** Causes of a stream that was not there: the counters say after such a hole what was lost in it. */
const streamCauses: ReadonlySet<GapCause> = new Set(["disconnect", "silence", "overflow"])

/**
 * The holes of one market day (`YYYYMMDD`), from its gap records in the order of the journal. A hole is opened by its first
 * record; one with the same symbol, cause and beginning and a later end extends it, one with `repairedBy` says what
 * filled it up to its own end. Trades that the counters miss over a hole of the stream are that hole's, and no hole of
 * their own; several losses between the same two seconds add up, and so do their repairs. What was found of losses that a
 * shard knew only together is given to those between its two seconds that still lack something, the oldest first.
 */
export class GapBook {
  private readonly beginsMs: number
  private readonly endsMs: number
  private readonly entries = new Map<string, Entry>()

  constructor(day: string) {
    this.beginsMs = marketMidnight(day)
    this.endsMs = this.beginsMs + day_ms
  }

  /** Takes a record; any that is no gap of this day is passed over. */
  add(record: GapRecord): void {
    if (record.kind !== "gap") return
    const gap = record.payload as Partial<GapPayload>
    const [fromMs, toMs] = [Date.parse(gap.from ?? ""), Date.parse(gap.to ?? "")]
    const cause = gapCauses.find((each) => each === gap.cause)
    if (cause === undefined || !(fromMs <= toMs) || !this.touches(fromMs, toMs)) return
    const symbol = record.symbol ?? gap.symbol
    const isCounted = cause === "continuity"
    const key = [symbol, cause, fromMs, isCounted ? toMs : ""].join(" ")
    const entry = this.entries.get(key) ?? newEntry(cause, symbol, fromMs, toMs)
    this.entries.set(key, entry)
    entry.toMs = Math.max(entry.toMs, toMs)
    entry.lostTrades += gap.lostTrades ?? 0
    entry.lostShares += gap.lostVolume ?? 0
    if (gap.repairedBy !== undefined) repair(entry, gap.repairedBy, toMs)
  }

  /** The holes by the time at which they begin. */
  holes(): ReadonlyArray<DayHole> {
    const all = [...this.entries.values()]
    const losses = settled(all.filter(({ cause }) => cause === "continuity"))
    const others = all.filter(({ cause }) => cause !== "continuity")
    const ownerOf = makeOwners(others.filter(({ cause }) => streamCauses.has(cause)))
    const owners = new Map<Entry, Array<Entry>>()
    const alone: Array<Entry> = []
    for (const loss of losses) {
      const owner = ownerOf(loss)
      const owned = owner && owners.get(owner)
      if (owner === undefined) alone.push(loss)
      else if (owned === undefined) owners.set(owner, [loss])
      else owned.push(loss)
    }
    return [
      ...alone.map((loss) => this.cut(loss, [loss])),
      ...others.map((entry) => this.cut(entry, owners.get(entry) ?? []))
    ].sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
  }

  private touches(fromMs: number, toMs: number): boolean {
    return fromMs < this.endsMs && (toMs > this.beginsMs || fromMs >= this.beginsMs)
  }

  private cut(entry: Entry, losses: ReadonlyArray<Entry>): DayHole {
    const { cause, symbol } = entry
    const sum = (of: (loss: Entry) => number) => losses.reduce((total, loss) => total + of(loss), 0)
    // A stream's hole knows what was found in it, whether or not counters told what was lost.
    const found = losses.length === 0 ? [entry] : losses
    const fromMs = Math.max(entry.fromMs, this.beginsMs)
    const toMs = Math.min(entry.toMs, this.endsMs)
    const repair = cause === "continuity" ? settledness(losses) : repairOf(entry, losses)
    return {
      cause,
      symbol,
      fromMs,
      toMs,
      lostTrades: sum(({ lostTrades }) => lostTrades),
      lostShares: sum(({ lostShares }) => lostShares),
      foundTrades: found.reduce((total, { foundTrades }) => total + foundTrades, 0),
      foundShares: found.reduce((total, { foundShares }) => total + foundShares, 0),
      repair,
      leftFromMs: repair === "whole" ? toMs : Math.min(toMs, Math.max(fromMs, entry.wholeToMs))
    }
  }
}

const newEntry = (cause: GapCause, symbol: string | undefined, fromMs: number, toMs: number): Entry => ({
  cause,
  symbol,
  fromMs,
  toMs,
  filledToMs: Number.NEGATIVE_INFINITY,
  wholeToMs: Number.NEGATIVE_INFINITY,
  lostTrades: 0,
  lostShares: 0,
  foundTrades: 0,
  foundShares: 0
})

const repair = (entry: Entry, by: NonNullable<GapPayload["repairedBy"]>, toMs: number): void => {
  entry.filledToMs = Math.max(entry.filledToMs, toMs)
  if (typeof by === "string" || by.complete) entry.wholeToMs = Math.max(entry.wholeToMs, toMs)
  if (typeof by === "string") return
  entry.foundTrades += by.trades
  entry.foundShares += by.volume
}

/**
 * The losses as they are once what was found of several together was shared out. What none of them lacks stays where it was
 * told.
 */
const settled = (losses: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const hasMore = (loss: Entry) => loss.foundShares > loss.lostShares || loss.foundTrades > loss.lostTrades
  if (!losses.some(hasMore)) return losses
  const all = losses.map((loss) => ({ ...loss }))
  const own = bySymbol(all)
  for (const giver of all.filter(hasMore)) {
    for (const loss of own.get(giver.symbol) ?? []) {
      if (!hasMore(giver)) break
      if (loss.fromMs < giver.fromMs || loss.toMs > giver.toMs) continue
      const trades = lesser(giver.foundTrades - giver.lostTrades, loss.lostTrades - loss.foundTrades)
      const shares = lesser(giver.foundShares - giver.lostShares, loss.lostShares - loss.foundShares)
      loss.foundTrades += trades
      loss.foundShares += shares
      giver.foundTrades -= trades
      giver.foundShares -= shares
    }
  }
  return all.filter((loss) => loss.lostShares + loss.lostTrades + loss.foundShares + loss.foundTrades > 0)
}

const lesser = (a: number, b: number): number => Math.max(0, Math.min(a, b))

const repairOf = ({ filledToMs, toMs, wholeToMs }: Entry, losses: ReadonlyArray<Entry>): DayHole["repair"] => {
  const counted = settledness(losses)
  if (wholeToMs >= toMs || (losses.length > 0 && counted === "whole")) return "whole"
  return filledToMs > Number.NEGATIVE_INFINITY || counted === "partly" ? "partly" : "none"
}

const settledness = (losses: ReadonlyArray<Entry>): DayHole["repair"] => {
  if (losses.length === 0) return "none"
  if (losses.every((loss) => loss.foundTrades >= loss.lostTrades && loss.foundShares >= loss.lostShares)) return "whole"
  return losses.some(({ foundShares }) => foundShares > 0) ? "partly" : "none"
}
