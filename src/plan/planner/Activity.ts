import type { SymbolAge } from "../../domain/Assignment.ts"

/** What was turned over since then is a fair picture of who is lively now. */
const look_ms_min = 60_000

/**
 * How lively symbols are: first by what they turned over on the day before, then by what they have turned over since the
 * last look, in KRW, as the sweep sees the cumulative volume rise.
 */
export class Activity {
  private seen = new Map<string, number>()
  private turnover: ReadonlyMap<string, number> | undefined
  private lookedAtMs: number | undefined

  /** Looks again, unless the last look is too fresh to say anything new. */
  look(ages: ReadonlyArray<SymbolAge>, nowMs: number): void {
    if (this.lookedAtMs !== undefined && nowMs - this.lookedAtMs < look_ms_min) return
    const isFirst = this.lookedAtMs === undefined
    const turnover = new Map<string, number>()
    const seen = new Map<string, number>()
    for (const { cumVolume, price = 0, symbol } of ages) {
      if (cumVolume === undefined) continue
      seen.set(symbol, cumVolume)
      const before = this.seen.get(symbol) ?? cumVolume
      // A counter that fell is that of a new day, and all of it is new.
      turnover.set(symbol, (cumVolume < before ? cumVolume : cumVolume - before) * price)
    }
    if (seen.size === 0) return
    this.seen = seen
    this.lookedAtMs = nowMs
    const traded = [...turnover.values()].some((value) => value > 0)
    // While nothing trades (the night, an auction) who was lively before is as good a guess as any.
    if (!isFirst && traded) this.turnover = turnover
  }

  of(symbol: string, dayBefore: number): number {
    return this.turnover === undefined ? dayBefore : (this.turnover.get(symbol) ?? 0)
  }
}
