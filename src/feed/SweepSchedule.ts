/** What one sweep found, from the first symbol asked to the last one answered or given up. */
export interface SweepRound {
  readonly number: number
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly asked: number
  readonly answered: number
  /** Asked for in this round and never answered. */
  readonly missing: ReadonlyArray<string>
}

interface Entry {
  readonly symbol: string
  /** The earliest moment to ask again, and the order in which symbols are asked. */
  dueAtMs: number
  misses: number
  inFlight: boolean
}

/** A symbol the broker leaves out is asked again at once this often; then it is named, and asked ever more rarely. */
export const missesBeforeNamed = 3
const missed_ms_max = 600_000

/**
 * Which symbols to ask next: always the most overdue, by `last seen + target`. A symbol whose answer is missing goes
 * back to the front, so that no sweep ends without it, until the broker has proved not to know it. Owned by one sweeper.
 */
export class SweepSchedule {
  private readonly entries: ReadonlyMap<string, Entry>
  private readonly target_ms: number
  private round: {
    number: number
    startedAtMs: number
    waiting: Set<string>
    answered: Set<string>
    missing: Set<string>
  }

  constructor(symbols: ReadonlyArray<string>, target_ms: number, nowMs: number) {
    this.target_ms = target_ms
    this.entries = new Map(
      symbols.map((symbol) => [symbol, { symbol, dueAtMs: nowMs, misses: 0, inFlight: false }] as const)
    )
    this.round = { number: 1, startedAtMs: nowMs, waiting: new Set(symbols), answered: new Set(), missing: new Set() }
  }

  /** Up to `most` due symbols, the most overdue first, now in flight. */
  take(nowMs: number, most: number): ReadonlyArray<string> {
    const due = [...this.entries.values()]
      .filter((entry) => !entry.inFlight && entry.dueAtMs <= nowMs)
      .sort((a, b) => a.dueAtMs - b.dueAtMs)
      .slice(0, most)
    for (const entry of due) entry.inFlight = true
    return due.map(({ symbol }) => symbol)
  }

  /** When the next symbol that is not in flight becomes due. */
  nextDueAtMs(): number | undefined {
    let next: number | undefined
    for (const { dueAtMs, inFlight } of this.entries.values()) {
      if (!inFlight && (next === undefined || dueAtMs < next)) next = dueAtMs
    }
    return next
  }

  seen(symbol: string, nowMs: number): void {
    const entry = this.entries.get(symbol)
    if (entry === undefined) return
    entry.inFlight = false
    entry.misses = 0
    entry.dueAtMs = nowMs + this.target_ms
    this.round.waiting.delete(symbol)
    this.round.missing.delete(symbol)
    this.round.answered.add(symbol)
  }

  /** Asked and not answered. `true` at the moment the symbol is to be named as one the broker does not know. */
  missed(symbol: string, nowMs: number): boolean {
    const entry = this.entries.get(symbol)
    if (entry === undefined) return false
    entry.inFlight = false
    entry.misses += 1
    if (entry.misses < missesBeforeNamed) {
      // Before everything that is merely due, so that the same sweep asks again.
      entry.dueAtMs = nowMs - missed_ms_max
      return false
    }
    entry.dueAtMs = nowMs + Math.min(missed_ms_max, 10_000 * 2 ** (entry.misses - missesBeforeNamed))
    this.round.waiting.delete(symbol)
    if (!this.round.answered.has(symbol)) this.round.missing.add(symbol)
    return entry.misses === missesBeforeNamed
  }

  /** The call failed as a whole and says nothing about its symbols: they are due as before. */
  notAsked(symbols: ReadonlyArray<string>): void {
    for (const symbol of symbols) {
      const entry = this.entries.get(symbol)
      if (entry !== undefined) entry.inFlight = false
    }
  }

  /** The round that is now complete, once. */
  completed(nowMs: number): SweepRound | undefined {
    const { answered, missing, number, startedAtMs, waiting } = this.round
    if (waiting.size > 0 || answered.size + missing.size === 0) return undefined
    const absent = new Set(this.unknown)
    this.round = {
      number: number + 1,
      startedAtMs: nowMs,
      waiting: new Set([...this.entries.keys()].filter((symbol) => !absent.has(symbol))),
      answered: new Set(),
      missing: new Set()
    }
    return {
      number,
      startedAtMs,
      endedAtMs: nowMs,
      asked: answered.size + missing.size,
      answered: answered.size,
      missing: [...missing]
    }
  }

  /** Symbols the broker has left out so often that it does not seem to know them. */
  get unknown(): ReadonlyArray<string> {
    return [...this.entries.values()].filter(({ misses }) => misses >= missesBeforeNamed).map(({ symbol }) => symbol)
  }
}
