/** Frames whose distances are remembered. */
const gaps_max = 32
/** Fewer say nothing of what is usual. */
const gaps_min = 8

/**
 * How often something speaks, by the distances of its newest frames. Times are milliseconds of the machine's clock. A new
 * phase of the market begins a new rhythm: what trades every second at ten may be quiet for minutes at five.
 */
export class Rhythm {
  private gaps: Array<number> = []
  private at = 0
  private lastMs: number | undefined

  /** When the newest frame came in this phase. */
  get lastHeardMs(): number | undefined {
    return this.lastMs
  }

  heard(atMs: number): void {
    if (this.lastMs !== undefined) {
      this.gaps[this.at] = Math.max(0, atMs - this.lastMs)
      this.at = (this.at + 1) % gaps_max
    }
    this.lastMs = atMs
  }

  /** What lies between the newest frame and the next is no distance: a phase or a connection has ended. */
  pause(): void {
    this.lastMs = undefined
  }

  begin(): void {
    this.gaps = []
    this.at = 0
    this.lastMs = undefined
  }

  /** The median distance and the longest one; `undefined` while too few frames have come. */
  get usual(): Usual | undefined {
    if (this.gaps.length < gaps_min) return undefined
    const sorted = [...this.gaps].sort((a, b) => a - b)
    return { median_ms: sorted[sorted.length >> 1] ?? 0, longest_ms: sorted.at(-1) ?? 0 }
  }
}

export interface Usual {
  readonly median_ms: number
  readonly longest_ms: number
}
