import { Clock, Effect } from "effect"

/** A write goes into memory: one that takes longer waits for a disk that is slow, or hangs. */
const late_ms = 100

/** Whether a write is under way for so long that no other call is to be sent after it: each would take a thread until the disk answers. */
export class UnderWay {
  private sinceMs: number | undefined

  track<A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.flatMap(Clock.currentTimeMillis, (nowMs) => {
      this.sinceMs = nowMs
      return Effect.onExit(work, () =>
        Effect.sync(() => {
          this.sinceMs = undefined
        })
      )
    })
  }

  get isLate(): Effect.Effect<boolean> {
    return Effect.map(
      Clock.currentTimeMillis,
      (nowMs) => this.sinceMs !== undefined && Math.abs(nowMs - this.sinceMs) >= late_ms
    )
  }
}
