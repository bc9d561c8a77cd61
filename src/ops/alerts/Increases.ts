/** What only ever rises, by name. */
export type Totals = Readonly<Record<string, number>>

interface Sample {
  readonly atMs: number
  readonly totals: Totals
}

/** Samples are kept this far apart: a window of a quarter of an hour is 90 of them. */
const apart_ms = 10_000
const kept_ms = 900_000

/**
 * How much totals have risen over a while. One that falls has begun anew, and what it has then is what it has risen by.
 * Before a window is full it reaches back to the first sample. A clock that is set back begins everything anew.
 */
export class Increases {
  private samples: Array<Sample> = []
  private newest: Sample | undefined

  note(atMs: number, totals: Totals): void {
    if (this.newest !== undefined && atMs < this.newest.atMs) this.samples = []
    this.newest = { atMs, totals }
    const last = this.samples.at(-1)
    if (last !== undefined && atMs - last.atMs < apart_ms) return
    this.samples.push(this.newest)
    const keep = this.samples.findLastIndex((each) => atMs - each.atMs >= kept_ms)
    if (keep > 0) this.samples.splice(0, keep)
  }

  /** Whether it has counted for so long: before that, little may be little of a while alone. */
  reaches(seconds: number): boolean {
    const [first] = this.samples
    return first !== undefined && this.newest !== undefined && this.newest.atMs - first.atMs >= seconds * 1_000
  }

  /** Over the last `seconds`, at most a quarter of an hour. */
  over(seconds: number, name: string): number {
    if (this.newest === undefined) return 0
    const fromMs = this.newest.atMs - seconds * 1_000
    const first = Math.max(
      0,
      this.samples.findLastIndex((each) => each.atMs <= fromMs)
    )
    let risen = 0
    let before = this.samples[first]?.totals[name] ?? 0
    for (const { totals } of [...this.samples.slice(first + 1), this.newest]) {
      const now = totals[name] ?? 0
      risen += now >= before ? now - before : now
      before = now
    }
    return risen
  }
}
