import type { SweepTarget, SymbolAge } from "../domain/Assignment.ts"
import { isIndexCode } from "../domain/SymbolCode.ts"
import { DeadlineQueue } from "./DeadlineQueue.ts"
import { type SweepRound, SweepRounds } from "./sweep/SweepRounds.ts"

export interface CoverageStatus {
  readonly symbols: number
  /** Answered at least once since the start. */
  readonly seen: number
  /** Answered once, but not for longer than the limit while the market was open. */
  readonly stale: number
}

/** What to ask next: some symbols in one call, or one by itself because answers for many left it out. */
export interface SweepBatch {
  readonly symbols: ReadonlyArray<string>
  readonly alone: boolean
}

interface Entry {
  readonly symbol: string
  target_ms: number
  planned_ms: number
  /** Not asked again sooner. */
  notBeforeMs: number
  seenAtMs: number | undefined
  interval_ms: number
  misses: number
  /** Until when it is asked alone, because calls for many leave it out and a call for one does not. */
  aloneUntilMs: number
  late: { times: number; worst_ms: number; reason?: string }
  price: number | undefined
  cumVolume: number | undefined
}

/** Answers that leave a symbol out: after the first it is asked again with others, after the second alone; then it is named, and asked ever more rarely. */
const missesBeforeAlone = 2
export const missesBeforeNamed = 3
const missed_ms_min = 10_000
const missed_ms_max = 600_000
const alone_ms = 600_000
/** A symbol that needs a call of its own is asked no more often, or it would cost the others theirs. */
const aloneInterval_ms = 10_000
/** A symbol is not asked again sooner after its answer, however few there are. */
export const soonest_ms = 200
/** A call that has no answer for so long is no reason to wait: whoever has a call to spend may ask again. */
const inFlight_ms_max = 5_000
/** Before everything that is merely due. */
const first = Number.NEGATIVE_INFINITY

/**
 * Which symbols to ask next, over all accounts: the earliest deadline first, where a deadline is when the symbol was last
 * seen plus its planned age. What comes first is asked at once, due or not, for calls that are not spent are lost. A symbol
 * whose answer is missing goes back to the front, so that no sweep ends without it, until the broker has proved not to
 * know it. Owned by one sweep; its workers share it. All times are the machine's, in milliseconds.
 */
export class SweepSchedule {
  private readonly entries = new Map<string, Entry>()
  private readonly queue = new DeadlineQueue<Entry>()
  private readonly rounds: SweepRounds
  /** Ages are counted from here on: nobody asks while the market is closed. */
  private openSinceMs: number

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
      this.queue.remove(entry)
      this.rounds.leave(symbol)
    }
    for (const { planned_ms, symbol, target_ms } of targets) {
      const known = this.entries.get(symbol)
      if (known !== undefined) {
        known.target_ms = target_ms
        known.planned_ms = planned_ms
        continue
      }
      const entry: Entry = {
        symbol,
        target_ms,
        planned_ms,
        notBeforeMs: nowMs,
        seenAtMs: undefined,
        interval_ms: 0,
        misses: 0,
        aloneUntilMs: 0,
        late: { times: 0, worst_ms: 0 },
        price: undefined,
        cumVolume: undefined
      }
      this.entries.set(symbol, entry)
      this.rounds.join(symbol)
      this.put(entry, nowMs)
    }
  }

  /** The market has opened: ages begin anew. */
  open(nowMs: number): void {
    this.openSinceMs = nowMs
    this.rounds.restart(nowMs)
  }

  /** The next batch, now in flight: at most so many symbols, and only such as the account can ask for. */
  take(nowMs: number, most: number, knowsIndices: boolean): SweepBatch | undefined {
    const taken: Array<Entry> = []
    const passed: Array<Entry> = []
    let alone = false
    while (taken.length < most && !alone) {
      const entry = this.queue.take()
      if (entry === undefined) break
      const wantsAlone = isAlone(entry, nowMs)
      const mayNot = entry.notBeforeMs > nowMs || (!knowsIndices && isIndexCode(entry.symbol))
      if (mayNot || (wantsAlone && taken.length > 0)) passed.push(entry)
      else {
        alone = wantsAlone
        taken.push(entry)
      }
    }
    for (const entry of passed) this.put(entry, nowMs)
    for (const entry of taken) {
      entry.notBeforeMs = nowMs + inFlight_ms_max
      this.put(entry, nowMs)
    }
    return taken.length === 0 ? undefined : { symbols: taken.map(({ symbol }) => symbol), alone }
  }

  /** When the next symbol may be asked. */
  nextAtMs(): number | undefined {
    let next: number | undefined
    for (const { notBeforeMs } of this.entries.values()) {
      if (next === undefined || notBeforeMs < next) next = notBeforeMs
    }
    return next
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
    entry.interval_ms = nowMs - Math.max(entry.seenAtMs ?? this.openSinceMs, this.openSinceMs)
    this.judgeAge(entry, entry.interval_ms, why)
    entry.seenAtMs = nowMs
    entry.notBeforeMs = nowMs + soonest_ms
    if (entry.misses >= missesBeforeAlone && !isIndexCode(symbol)) entry.aloneUntilMs = nowMs + alone_ms
    entry.misses = 0
    entry.price = values.price ?? entry.price
    entry.cumVolume = values.cumVolume ?? entry.cumVolume
    this.put(entry, nowMs)
    this.rounds.answered(symbol)
  }

  /** Asked and not answered. `true` at the moment the symbol is to be named as one the broker does not know. */
  missed(symbol: string, nowMs: number): boolean {
    const entry = this.entries.get(symbol)
    if (entry === undefined) return false
    entry.misses += 1
    const named = entry.misses - missesBeforeNamed
    entry.notBeforeMs = named < 0 ? nowMs : nowMs + Math.min(missed_ms_max, missed_ms_min * 2 ** Math.min(named, 10))
    this.put(entry, nowMs)
    if (named < 0) return false
    this.rounds.missed(symbol)
    return named === 0
  }

  /** The call failed as a whole and says nothing about its symbols: whoever asks next takes them first. */
  notAsked(symbols: ReadonlyArray<string>, nowMs: number): void {
    for (const symbol of symbols) {
      const entry = this.entries.get(symbol)
      if (entry === undefined) continue
      entry.notBeforeMs = nowMs
      this.put(entry, nowMs)
    }
  }

  /** The round that is now complete, once. */
  completed(nowMs: number): SweepRound | undefined {
    return this.rounds.completed(nowMs, (symbol) => this.isUnknown(symbol))
  }

  /** Symbols the broker has left out so often that it does not seem to know them. */
  get unknown(): ReadonlyArray<string> {
    return [...this.entries.keys()].filter((symbol) => this.isUnknown(symbol))
  }

  /** How many there are, have been answered, and were answered longer ago than `stale_ms`. */
  coverage(nowMs: number, stale_ms: number): CoverageStatus {
    const seen = [...this.entries.values()].filter(({ seenAtMs }) => seenAtMs !== undefined)
    const stale = seen.filter((entry) => this.ageOf(entry, nowMs) > stale_ms)
    return { symbols: this.entries.size, seen: seen.length, stale: stale.length }
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
        ...(seenAtMs === undefined ? {} : { seenAtMs, staleness_ms: Math.max(interval_ms, this.ageOf(entry, nowMs)) }),
        ...(price === undefined ? {} : { price }),
        ...(cumVolume === undefined ? {} : { cumVolume })
      }
    })
  }

  private ageOf({ seenAtMs }: Entry, nowMs: number): number {
    return nowMs - Math.max(seenAtMs ?? this.openSinceMs, this.openSinceMs)
  }

  private judgeAge(entry: Entry, age_ms: number, why: string | undefined): void {
    if (age_ms <= entry.target_ms) return
    const { late, misses, planned_ms, target_ms } = entry
    late.times += 1
    if (age_ms <= late.worst_ms) return
    late.worst_ms = age_ms
    late.reason =
      misses > 0
        ? `the broker left it out of ${misses} answers`
        : planned_ms > target_ms
          ? "the calls do not suffice for its target"
          : (why ?? "answers came late")
  }

  private isUnknown(symbol: string): boolean {
    return (this.entries.get(symbol)?.misses ?? 0) >= missesBeforeNamed
  }

  /** By its deadline; what may not be asked yet waits behind what may. */
  private put(entry: Entry, nowMs: number): void {
    const { misses, notBeforeMs, planned_ms, seenAtMs } = entry
    const isAskedAgain = misses > 0 && misses < missesBeforeNamed
    const interval_ms = isAlone(entry, nowMs) ? Math.max(planned_ms, aloneInterval_ms) : planned_ms
    const deadline = isAskedAgain || seenAtMs === undefined ? first : seenAtMs + interval_ms
    this.queue.put(entry, notBeforeMs > nowMs ? Math.max(deadline, notBeforeMs) : deadline)
  }
}

const isAlone = ({ aloneUntilMs, misses, symbol }: Entry, nowMs: number): boolean =>
  (misses >= missesBeforeAlone || aloneUntilMs > nowMs) && !isIndexCode(symbol)
