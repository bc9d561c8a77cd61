import type { SweepTarget, SweptVolume, SymbolAge } from "../domain/Assignment.ts"
import { isIndexCode } from "../domain/SymbolCode.ts"
import { DeadlineQueue } from "./DeadlineQueue.ts"
import {
  alone_ms,
  aloneInterval_ms,
  deadlineOf,
  inFlight_ms_max,
  isAlone,
  lateAfter,
  missesBeforeAlone,
  missesBeforeNamed,
  never,
  newEntry,
  restAfterMisses_ms,
  soonest_ms,
  type SweepEntry
} from "./sweep/SweepEntry.ts"
import { type SweepRound, SweepRounds } from "./sweep/SweepRounds.ts"

export interface CoverageStatus {
  readonly symbols: number
  /** Answered at least once since the start. */
  readonly seen: number
  /** Answered once, but not for longer than the limit while the market was open. */
  readonly stale: number
}

/** What an account can ask for in one call. */
export interface SweepAsk {
  /** At most so many symbols. */
  readonly most: number
  readonly knowsIndices: boolean
  /** The call is one for many: who needs a call of its own waits for another. */
  readonly together?: boolean
}

/** What to ask next: some symbols in one call, or one by itself because answers for many left it out. */
export interface SweepBatch {
  readonly symbols: ReadonlyArray<string>
  readonly alone: boolean
  /** Which call of the sweep it is, from 1 on. */
  readonly call: number
}

/**
 * Which symbols to ask next, over all accounts: the earliest deadline first, where a deadline is when the symbol was last
 * asked plus its planned age. Deadlines are in the sweep's own time, its pace, which goes on with every symbol asked by the
 * share of time that the plan has for one: when calls are short or plenty all ages grow or shrink alike, and classes keep
 * their ratio. What comes first is asked at once, due or not, for calls that are not spent are lost. A symbol whose answer is
 * missing goes to the front, so that no sweep ends without it, until the broker has proved not to know it. Owned by one
 * sweep; its workers share it. All times but the pace are the machine's, in milliseconds.
 */
export class SweepSchedule {
  private readonly entries = new Map<string, SweepEntry>()
  /** Whom may be asked, by deadline. */
  private readonly ready = new DeadlineQueue<SweepEntry>()
  /** Whom may not be asked yet, by when they may. */
  private readonly resting = new DeadlineQueue<SweepEntry>()
  private readonly rounds: SweepRounds
  private pace = 0
  /** Time that passes for one symbol asked, were there as many calls as the plan thinks. */
  private share_ms = 0
  /** Where the next one that was never answered is put. */
  private freeTurn = 0
  private calls = 0
  /** Ages are counted from here on: nobody asks while the market is closed. */
  private openSinceMs: number
  private closedAtMs: number | undefined

  constructor(nowMs: number) {
    this.rounds = new SweepRounds(nowMs)
    this.openSinceMs = nowMs
  }

  /** Sets who is swept and how often; what is known of those who stay is kept. */
  assign(targets: ReadonlyArray<SweepTarget>, nowMs: number): void {
    const wanted = new Set(targets.map(({ symbol }) => symbol))
    for (const [symbol, entry] of this.entries) {
      if (wanted.has(symbol)) continue
      this.entries.delete(symbol)
      this.ready.remove(entry)
      this.resting.remove(entry)
      this.rounds.leave(symbol)
    }
    this.share_ms = 1 / targets.reduce((perMs, { planned_ms }) => perMs + 1 / Math.max(1, planned_ms), 0)
    // Newcomers come one after the other, the most wanted first; meanwhile those seen already have their turns, too.
    for (const { planned_ms, symbol, target_ms } of [...targets].sort((a, b) => a.planned_ms - b.planned_ms)) {
      let entry = this.entries.get(symbol)
      if (entry === undefined) {
        entry = newEntry(symbol, this.nextTurn(), nowMs)
        this.entries.set(symbol, entry)
        this.rounds.join(symbol)
      }
      entry.target_ms = target_ms
      entry.planned_ms = planned_ms
      this.put(entry, nowMs)
    }
  }

  /** The market has closed: nobody grows older. */
  close(nowMs: number): void {
    this.closedAtMs ??= nowMs
  }

  /** The market has opened: ages and what is said of the day begin anew. */
  open(nowMs: number): void {
    if (this.closedAtMs === undefined) return
    this.closedAtMs = undefined
    this.openSinceMs = nowMs
    this.rounds.restart(nowMs)
    for (const entry of this.entries.values()) {
      entry.interval_ms = 0
      entry.late = never
    }
  }

  /** How many may be asked now, and whether the first of them needs a call of its own. */
  next(nowMs: number): { readonly count: number; readonly isAlone: boolean } {
    this.wake(nowMs)
    const first = this.ready.first
    return { count: this.ready.size, isAlone: first !== undefined && isAlone(first, nowMs) }
  }

  /** The next batch, now in flight; `undefined` when nobody may be asked yet. */
  take(nowMs: number, { knowsIndices, most, together = false }: SweepAsk): SweepBatch | undefined {
    this.wake(nowMs)
    const taken: Array<SweepEntry> = []
    const passed: Array<SweepEntry> = []
    let alone = false
    while (taken.length < most && !alone) {
      const entry = this.ready.take()
      if (entry === undefined) break
      const wantsAlone = isAlone(entry, nowMs)
      if ((!knowsIndices && isIndexCode(entry.symbol)) || (wantsAlone && (together || taken.length > 0)))
        passed.push(entry)
      else {
        alone = wantsAlone
        taken.push(entry)
      }
    }
    for (const entry of passed) this.put(entry, nowMs)
    if (taken.length === 0) return undefined
    this.calls += 1
    for (const entry of taken) {
      // To ask again in the same turn, for what was left out or lost, is no way forward.
      if (entry.misses === 0 && entry.askedAt === entry.takenAt)
        this.pace = Math.max(this.pace + this.share_ms, deadlineOf(entry))
      entry.askedAt = this.pace
      entry.call = this.calls
      entry.notBeforeMs = nowMs + inFlight_ms_max
      this.put(entry, nowMs)
    }
    return { symbols: taken.map(({ symbol }) => symbol), alone, call: this.calls }
  }

  /** When the next of those who may not be asked yet may be. */
  nextAtMs(): number | undefined {
    return this.resting.earliest
  }

  /** Answered. `why` says what hindered the sweep, if anything did; it is kept when the symbol was older than its target. */
  seen(
    symbol: string,
    nowMs: number,
    values: { readonly price?: number | undefined; readonly cumVolume?: number | undefined } = {},
    why?: string
  ): void {
    const entry = this.entries.get(symbol)
    if (entry === undefined) return
    if (entry.misses >= missesBeforeAlone && !isIndexCode(symbol)) entry.aloneUntilMs = nowMs + alone_ms
    entry.interval_ms = this.ageOf(entry, nowMs)
    entry.late = lateAfter(entry, why)
    entry.seenAtMs = nowMs
    entry.takenAt = entry.askedAt
    entry.call = 0
    entry.notBeforeMs = nowMs + (entry.aloneUntilMs > nowMs ? aloneInterval_ms : soonest_ms)
    entry.misses = 0
    entry.price = values.price ?? entry.price
    entry.cumVolume = values.cumVolume ?? entry.cumVolume
    this.put(entry, nowMs)
    this.rounds.answered(symbol)
  }

  /**
   * Asked in a call and not answered. `true` at the moment the symbol is to be named as one the broker does not know. A call
   * that took so long that another has asked again says nothing: that one will.
   */
  missed(symbol: string, call: number, nowMs: number): boolean {
    const entry = this.entries.get(symbol)
    if (entry?.call !== call) return false
    entry.misses += 1
    entry.call = 0
    entry.notBeforeMs = nowMs + restAfterMisses_ms(entry.misses)
    this.put(entry, nowMs)
    if (!this.isUnknown(symbol)) return false
    this.rounds.missed(symbol)
    return entry.misses === missesBeforeNamed
  }

  /** The call goes on in parts: what still waits for it is not asked by others meanwhile. */
  hold({ call, symbols }: SweepBatch, nowMs: number): void {
    for (const symbol of symbols) {
      const entry = this.entries.get(symbol)
      if (entry?.call !== call) continue
      entry.notBeforeMs = nowMs + inFlight_ms_max
      this.put(entry, nowMs)
    }
  }

  /** The call failed as a whole and says nothing about its symbols: whoever asks next may take those still waiting for it. */
  notAsked({ call, symbols }: SweepBatch, nowMs: number): void {
    for (const symbol of symbols) {
      const entry = this.entries.get(symbol)
      if (entry?.call !== call) continue
      entry.call = 0
      entry.notBeforeMs = nowMs
      // While nobody is known to be sound, one that is sick must not stand before all others for ever.
      if (entry.seenAtMs === undefined) entry.takenAt = this.nextTurn()
      this.put(entry, nowMs)
    }
  }

  /**
   * Who was answered last and is sound: if a call for it fails, the fault is not with a symbol. One of the others if there
   * is one: of those in the call that failed, the newest may be what made it fail.
   */
  soundest(inCall: ReadonlyArray<string>, { knowsIndices }: Pick<SweepAsk, "knowsIndices">): string | undefined {
    const newest = { inside: undefined as SweepEntry | undefined, outside: undefined as SweepEntry | undefined }
    for (const entry of this.entries.values()) {
      const { aloneUntilMs, misses, seenAtMs, symbol } = entry
      if (seenAtMs === undefined || misses > 0 || aloneUntilMs > seenAtMs) continue
      if (!knowsIndices && isIndexCode(symbol)) continue
      const place = inCall.includes(symbol) ? "inside" : "outside"
      if (seenAtMs > (newest[place]?.seenAtMs ?? Number.NEGATIVE_INFINITY)) newest[place] = entry
    }
    return (newest.outside ?? newest.inside)?.symbol
  }

  /** The round that is now complete, once. */
  completed(nowMs: number): SweepRound | undefined {
    return this.rounds.completed(nowMs, (symbol) => this.isUnknown(symbol))
  }

  /** Symbols the broker has left out so often that it does not seem to know them. */
  get unknown(): ReadonlyArray<string> {
    return [...this.entries.keys()].filter((symbol) => this.isUnknown(symbol))
  }

  /** How many there are, have been answered, and were answered longer ago than `stale_ms`; nobody is stale in the night. */
  coverage(nowMs: number, stale_ms: number): CoverageStatus {
    const seen = [...this.entries.values()].filter(({ seenAtMs }) => seenAtMs !== undefined)
    const stale = this.closedAtMs !== undefined ? [] : seen.filter((entry) => this.ageOf(entry, nowMs) > stale_ms)
    return { symbols: this.entries.size, seen: seen.length, stale: stale.length }
  }

  /** What was swept last of a symbol, and when. */
  sweptVolume(symbol: string): SweptVolume | undefined {
    const { cumVolume, seenAtMs } = this.entries.get(symbol) ?? {}
    return cumVolume === undefined || seenAtMs === undefined ? undefined : { cumVolume, atMs: seenAtMs }
  }

  /** What is known of every symbol, for the plan and for people. */
  ages(nowMs: number): ReadonlyArray<SymbolAge> {
    return [...this.entries.values()].map((entry) => {
      const { cumVolume, interval_ms, late, misses, price, seenAtMs, symbol, target_ms } = entry
      return {
        symbol,
        target_ms,
        late,
        misses,
        staleness_ms: Math.max(interval_ms, this.ageOf(entry, nowMs)),
        ...(seenAtMs === undefined ? {} : { seenAtMs }),
        ...(price === undefined ? {} : { price }),
        ...(cumVolume === undefined ? {} : { cumVolume })
      }
    })
  }

  private nextTurn(): number {
    const turn = Math.max(this.pace, this.freeTurn)
    this.freeTurn = turn + this.share_ms
    return turn
  }

  private ageOf({ joinedAtMs, seenAtMs }: SweepEntry, nowMs: number): number {
    return Math.max(0, (this.closedAtMs ?? nowMs) - Math.max(seenAtMs ?? joinedAtMs, this.openSinceMs))
  }

  private isUnknown(symbol: string): boolean {
    return (this.entries.get(symbol)?.misses ?? 0) >= missesBeforeNamed
  }

  private put(entry: SweepEntry, nowMs: number): void {
    const isReady = entry.notBeforeMs <= nowMs
    const [into, from] = isReady ? [this.ready, this.resting] : [this.resting, this.ready]
    from.remove(entry)
    into.put(entry, isReady ? deadlineOf(entry) : entry.notBeforeMs)
  }

  private wake(nowMs: number): void {
    while ((this.resting.earliest ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const entry = this.resting.take()
      if (entry !== undefined) this.ready.put(entry, deadlineOf(entry))
    }
  }
}
