import type { Phase } from "../domain/Phase.ts"

/** What one symbol's record says of the phase. Both instants are market time, UTC milliseconds. */
export interface PhaseVote {
  readonly symbol: string
  readonly observed: Phase
  /** When it happened by the exchange's own clock, so that a slow line is no difference. */
  readonly happenedMs: number
  readonly heardMs: number
}

/** The market does something else than the tables say. */
export interface PhaseDifference {
  readonly expected: Phase
  readonly observed: Phase
  /** Since when the votes differ, market time. */
  readonly sinceMs: number
  /** How many symbols say so, of how many that said anything; absent where the exchange announced it for all. */
  readonly symbols?: number
  readonly of?: number
}

/** Auctions end at random within 30 s, and an interruption prolongs one symbol's: what lasts no longer than this is no difference. */
const tolerance_ms = 60_000
/** Of the symbols that said something in the last minute, so many must agree with each other against the table. */
const majority = 2 / 3
/** One or two symbols are no majority where more have been seen. */
const symbols_min = 3
/** An announcement comes once for every symbol that is subscribed; its repetitions are the same one. */
const repeated_ms = 600_000

/**
 * What may be observed besides the phase itself. The closing price of the day before trades during the opening auction,
 * under the code of the closing price or of the time before the open; expected prices after the close bear the code of
 * the closing auction.
 */
const alsoFine: Readonly<Partial<Record<Phase, ReadonlyArray<Phase>>>> = {
  openingAuction: ["preOpen", "afterClose"],
  afterClose: ["closingAuction"]
}

const agrees = (expected: Phase, observed: Phase): boolean =>
  expected === observed || alsoFine[expected]?.includes(observed) === true

interface Judged {
  readonly expected: Phase
  readonly observed: Phase
  readonly heardMs: number
}

/** Compares the phases that records name with those the tables expect. Owned by one keeper; it does nothing by itself. */
export class PhaseWatch {
  private readonly phaseAt: (atMs: number) => Phase
  private readonly votes = new Map<string, Judged>()
  private running: { readonly kind: string; readonly sinceMs: number; isTold: boolean } | undefined
  private announced: { readonly kind: string; readonly atMs: number } | undefined
  /** What was told and has not ended. */
  current: PhaseDifference | undefined

  constructor(phaseAt: (atMs: number) => Phase) {
    this.phaseAt = phaseAt
  }

  /** Takes a chunk's votes; gives a difference once, when it has lasted longer than a minute. */
  observe(votes: ReadonlyArray<PhaseVote>): PhaseDifference | undefined {
    let nowMs = -Infinity
    for (const { happenedMs, heardMs, observed, symbol } of votes) {
      this.votes.set(symbol, { expected: this.phaseAt(happenedMs), observed, heardMs })
      if (heardMs > nowMs) nowMs = heardMs
    }
    return votes.length === 0 ? undefined : this.judge(nowMs)
  }

  /**
   * Takes what the exchange announced for the whole market; gives a difference when the table has no such phase within a
   * minute of it, once for all symbols it is announced to. A phase that the table has ends what was told before.
   */
  announce(observed: Phase, atMs: number): PhaseDifference | undefined {
    const near = [atMs - tolerance_ms, atMs, atMs + tolerance_ms].map((each) => this.phaseAt(each))
    if (near.some((expected) => agrees(expected, observed))) {
      this.announced = undefined
      this.current = undefined
      return undefined
    }
    const expected = this.phaseAt(atMs)
    const kind = `${expected} ${observed}`
    const isRepeated = this.announced?.kind === kind && Math.abs(atMs - this.announced.atMs) < repeated_ms
    this.announced = { kind, atMs }
    if (isRepeated) return undefined
    this.current = { expected, observed, sinceMs: atMs }
    return this.current
  }

  /** A new phase has begun by the tables: what was told of the one before has ended. */
  begin(): void {
    this.current = undefined
    this.running = undefined
  }

  private judge(nowMs: number): PhaseDifference | undefined {
    const fresh = [...this.votes.values()].filter(({ heardMs }) => Math.abs(nowMs - heardMs) < tolerance_ms)
    const [kind, differing] = largest(fresh.filter(({ expected, observed }) => !agrees(expected, observed)))
    const [example] = differing
    const enough = differing.length >= Math.min(symbols_min, this.votes.size)
    if (example === undefined || !enough || differing.length < majority * fresh.length) {
      if (differing.length === 0 && fresh.length > 0) this.current = undefined
      this.running = undefined
      return undefined
    }
    const firstMs = Math.min(...differing.map(({ heardMs }) => heardMs))
    if (this.running?.kind !== kind) this.running = { kind, sinceMs: firstMs, isTold: false }
    const { isTold, sinceMs } = this.running
    const lastMs = Math.max(...differing.map(({ heardMs }) => heardMs))
    if (isTold || lastMs - sinceMs <= tolerance_ms) return undefined
    this.running.isTold = true
    const { expected, observed } = example
    this.current = { expected, observed, sinceMs, symbols: differing.length, of: fresh.length }
    return this.current
  }
}

/** The votes that most symbols share, and what they say. */
const largest = (votes: ReadonlyArray<Judged>): readonly [kind: string, votes: ReadonlyArray<Judged>] => {
  const kinds = new Map<string, Array<Judged>>()
  for (const vote of votes) {
    const kind = `${vote.expected} ${vote.observed}`
    const same = kinds.get(kind)
    if (same === undefined) kinds.set(kind, [vote])
    else same.push(vote)
  }
  return [...kinds].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? ["", []]
}
