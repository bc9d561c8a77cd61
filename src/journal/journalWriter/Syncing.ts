import { Clock, Effect } from "effect"
import type { DiskError } from "../Disk.ts"
import type { Segment } from "../Segment.ts"

/** Syncs the file being written, and remembers how that went. */
export class Syncing {
  /** Milliseconds that the newest fdatasync took. */
  fsync_ms: number | undefined
  /** Somebody has removed the file being written; sealing puts it back. */
  isRemoved = false
  private refusal: string | undefined

  /** Makes what is written by now durable; `false` when the disk refuses it, which is said once, or the file has no name. */
  turn(segment: Segment): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function* () {
      const started = yield* Clock.monotonicTimeNanos
      if (yield* segment.sync) this.fsync_ms = Number((yield* Clock.monotonicTimeNanos) - started) / 1e6
      this.refusal = undefined
      this.isRemoved ||= !(yield* segment.isThere)
      return !this.isRemoved
    }).pipe(Effect.catch((error) => Effect.as(this.refused(error), false)))
  }

  private refused({ message: reason }: DiskError): Effect.Effect<void> {
    if (this.refusal === reason) return Effect.void
    this.refusal = reason
    return Effect.logError("the journal cannot be synced to disk; SQL waits for it", { reason })
  }
}
