import { Effect, Schedule } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import type { RecordDraft } from "../../domain/JournalRecord.ts"
import type { Disk, DiskError } from "../Disk.ts"
import { meterGaps } from "../gapMeters.ts"

/** A time in market time, UTC milliseconds. */
interface Span {
  readonly fromMs: number
  /** Absent while it lasts. */
  readonly toMs?: number
}

const diskGap = (fromMs: number, toMs: number, nowMs: number): RecordDraft => {
  const [from, to] = [fromMs, toMs].map((atMs) => new Date(atMs).toISOString())
  return { kind: "gap", receivedAtMs: nowMs, source: "observer", payload: { from, to, cause: "diskFull" } }
}

/** A time in which the disk refuses what the writer has in hand: it is waited for, and told by a `gap` afterwards. */
export class Outage {
  /** The disk's words, while it refuses. */
  reason: string | undefined
  private span: Span | undefined

  /** The `gap` of a time that no record tells of yet. */
  untold(nowMs: number): RecordDraft | undefined {
    return this.span && diskGap(this.span.fromMs, this.span.toMs ?? nowMs, nowMs)
  }

  told(): void {
    this.span = undefined
  }

  /** Tries until the disk takes it; readiness is false meanwhile. */
  untilAccepted(work: Effect.Effect<void, DiskError, Disk>): Effect.Effect<void, never, Disk> {
    return work.pipe(
      Effect.tapError((error) => this.refused(error)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.orDie,
      Effect.andThen(this.accepted)
    )
  }

  private refused({ message: reason }: DiskError): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.reason !== reason) {
        yield* Effect.logError("the journal cannot be written; sources wait until it can", { reason })
      }
      this.reason = reason
      this.span = { fromMs: this.span?.fromMs ?? (yield* marketNow) }
    })
  }

  private get accepted(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.reason === undefined) return
      this.reason = undefined
      if (this.span !== undefined) {
        const toMs = yield* marketNow
        yield* meterGaps([diskGap(this.span.fromMs, toMs, toMs)])
        this.span = { ...this.span, toMs }
      }
      yield* Effect.logInfo("the journal can be written again")
    })
  }
}
