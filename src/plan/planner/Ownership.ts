/** Calls that were under way, and a stream's registration that stays a while, still bring sightings of a symbol that is not wanted any more. */
export const leaving_ms = 30_000

/**
 * Whom the shards own: everybody the newest plan wants, and for a while those it wants no longer. A symbol is owned before
 * anybody asks for it, and longer than anybody may still hear of it. Times are the machine's, UTC milliseconds.
 */
export class Ownership {
  private wanted: ReadonlySet<string> = new Set()
  /** Who is wanted no longer, and since when the accounts know; endless until they do. */
  private readonly leaving = new Map<string, number>()

  get symbols(): ReadonlyArray<string> {
    return [...this.wanted, ...this.leaving.keys()]
  }

  get isShrinking(): boolean {
    return this.leaving.size > 0
  }

  /** A plan is about to be put in force. */
  want(symbols: ReadonlyArray<string>): void {
    const before = this.wanted
    this.wanted = new Set(symbols)
    for (const symbol of before) if (!this.wanted.has(symbol)) this.leaving.set(symbol, Number.POSITIVE_INFINITY)
    for (const symbol of symbols) this.leaving.delete(symbol)
  }

  /** The accounts have taken the plan: they begin to let go. */
  applied(nowMs: number): void {
    for (const [symbol, sinceMs] of this.leaving) if (!Number.isFinite(sinceMs)) this.leaving.set(symbol, nowMs)
  }

  /** Lets go of those whose time is over. */
  release(nowMs: number): void {
    for (const [symbol, sinceMs] of this.leaving) if (nowMs - sinceMs >= leaving_ms) this.leaving.delete(symbol)
  }
}
