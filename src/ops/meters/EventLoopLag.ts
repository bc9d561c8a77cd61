import { Context } from "effect"
import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks"

/** How often the loop is looked at. Each look costs 40 µs of an idle process: twenty a second are 0.08 % of a core, fifty 0.2 %. */
const look_ms = 50
/** A value is shown for so long at least, so that whoever asks every quarter of a minute sees it. */
const window_ms = 60_000

export const lagQuantiles = [0.5, 0.99, 1] as const
type Quantiles = ReadonlyArray<number>

/** How late the event loop came to what was due: what this program's every part waits for when one keeps the thread busy. */
export class EventLoopLag {
  private readonly monitor: IntervalHistogram
  /** When the window began; absent until somebody asks. */
  private sinceMs: number | undefined
  private before: Quantiles = []

  private readonly now: () => number

  /** @param now milliseconds of a clock that nobody sets: a window must end though the wall's is set back */
  constructor(now: () => number = () => performance.now()) {
    this.now = now
    this.monitor = monitorEventLoopDelay({ resolution: look_ms })
    this.monitor.enable()
  }

  /** Seconds, of each of `lagQuantiles`: the worse of the window under way and the one before it. */
  seconds(): Quantiles {
    const nowMs = this.now()
    const current = this.current()
    const worst = current.map((value, at) => Math.max(value, this.before[at] ?? 0))
    this.sinceMs ??= nowMs
    if (nowMs - this.sinceMs >= window_ms) {
      this.monitor.reset()
      this.sinceMs = nowMs
      this.before = current
    }
    return worst
  }

  private current(): Quantiles {
    // The time between two looks is told, the wait between them included.
    return lagQuantiles.map((quantile) => {
      const between_ms = (quantile === 1 ? this.monitor.max : this.monitor.percentile(quantile * 100)) / 1e6
      return this.monitor.count === 0 ? 0 : Math.max(0, between_ms - look_ms) / 1_000
    })
  }
}

/** The one of this process; it begins to look when it is first asked for. */
export const ProcessLag = Context.Reference<EventLoopLag>("observer/ops/meters/ProcessLag", {
  defaultValue: () => new EventLoopLag()
})
