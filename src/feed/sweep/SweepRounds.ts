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

/**
 * Counts the sweep in rounds: one is complete when everybody in it has been answered, or named as not known. Answers come
 * out of order, so some are ahead by a round; n rounds are complete when everybody has been answered n times.
 */
export class SweepRounds {
  private readonly members = new Set<string>()
  private waiting = new Set<string>()
  private answers = new Set<string>()
  private missing = new Set<string>()
  /** Answered once more before the round was complete: that counts for the next one. */
  private early = new Set<string>()
  private number = 1
  private startedAtMs: number

  constructor(nowMs: number) {
    this.startedAtMs = nowMs
  }

  join(symbol: string): void {
    this.members.add(symbol)
    this.waiting.add(symbol)
  }

  leave(symbol: string): void {
    for (const set of [this.members, this.waiting, this.answers, this.missing, this.early]) set.delete(symbol)
  }

  answered(symbol: string): void {
    if (this.answers.has(symbol)) this.early.add(symbol)
    this.waiting.delete(symbol)
    this.missing.delete(symbol)
    this.answers.add(symbol)
  }

  missed(symbol: string): void {
    this.waiting.delete(symbol)
    if (!this.answers.has(symbol)) this.missing.add(symbol)
  }

  /** Begins the round under way anew, for nobody asked for a while. */
  restart(nowMs: number): void {
    this.startedAtMs = nowMs
    this.waiting = new Set(this.members)
    this.answers = new Set()
    this.missing = new Set()
    this.early = new Set()
  }

  /** The round that is now complete, once; the next one does without those that are `absent`. */
  completed(nowMs: number, absent: (symbol: string) => boolean): SweepRound | undefined {
    if (this.waiting.size > 0 || this.answers.size + this.missing.size === 0) return undefined
    const round: SweepRound = {
      number: this.number,
      startedAtMs: this.startedAtMs,
      endedAtMs: nowMs,
      asked: this.answers.size + this.missing.size,
      answered: this.answers.size,
      missing: [...this.missing]
    }
    this.number += 1
    const { early } = this
    this.restart(nowMs)
    for (const symbol of this.members) if (absent(symbol)) this.waiting.delete(symbol)
    for (const symbol of early) this.answered(symbol)
    return round
  }
}
