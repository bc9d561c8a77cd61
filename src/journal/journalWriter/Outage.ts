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
  /** It was over before and is counted, though no record tells of it yet: it goes on. */
  readonly isCounted?: boolean
}

/** Who may say, without a write that fails, that nothing is to be written: the journal of its folder, others of its room. */
export type Holder = "folder" | "room"

const diskGap = (fromMs: number, toMs: number, nowMs: number): RecordDraft => {
  const [from, to] = [fromMs, toMs].map((atMs) => new Date(atMs).toISOString())
  return { kind: "gap", receivedAtMs: nowMs, source: "observer", payload: { from, to, cause: "diskFull" } }
}

/**
 * A time in which the disk refuses what the writer has in hand, or in which appends are held back before it does: it is
 * waited for, and told by a `gap` afterwards.
 */
export class Outage {
  /** What the disk said of the work in hand, while it refuses it. */
  private refusal: DiskError | undefined
  private readonly holds = new Map<Holder, DiskError>()
  private span: Span | undefined

  /** Why nothing is written, while it is so. */
  get reason(): string | undefined {
    return this.why?.message
  }

  private get why(): DiskError | undefined {
    return this.held ?? this.refusal
  }

  private get held(): DiskError | undefined {
    return this.holds.get("folder") ?? this.holds.get("room")
  }

  /** The `gap` of a time that no record tells of yet. */
  untold(nowMs: number): RecordDraft | undefined {
    return this.span && diskGap(this.span.fromMs, this.span.toMs ?? nowMs, nowMs)
  }

  told(): void {
    this.span = undefined
  }

  /** Holds appends back for a reason, at once and though none may be waiting, or lets them go. */
  hold(by: Holder, why: DiskError | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const before = this.why
      if (why !== undefined) this.holds.set(by, why)
      else this.holds.delete(by)
      return this.turned(before)
    })
  }

  /** Tries until the disk takes it; readiness is false meanwhile. */
  untilAccepted(work: Effect.Effect<void, DiskError, Disk>): Effect.Effect<void, never, Disk> {
    return work.pipe(
      Effect.tapError((error) => this.refused(error)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.orDie,
      Effect.andThen(this.refused(undefined))
    )
  }

  /** As `untilAccepted`, and not tried while appends are held back. */
  untilAllowed(work: Effect.Effect<void, DiskError, Disk>): Effect.Effect<void, never, Disk> {
    return this.untilAccepted(Effect.suspend(() => (this.held === undefined ? work : Effect.fail(this.held))))
  }

  private refused(why: DiskError | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const before = this.why
      this.refusal = why
      return this.turned(before)
    })
  }

  /** The words may have amounts in them that are others at each look: what is said anew is another code. */
  private turned(before: DiskError | undefined): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { why } = this
      if (why === undefined) return yield* before === undefined ? Effect.void : this.ended
      if (why.code !== before?.code) {
        yield* Effect.logError("the journal cannot be written; sources wait until it can", { reason: why.message })
      }
      const { fromMs = yield* marketNow, isCounted = false } = this.span ?? {}
      this.span = { fromMs, isCounted }
    })
  }

  private get ended(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (this.span !== undefined) {
        const toMs = yield* marketNow
        if (this.span.isCounted !== true) yield* meterGaps([diskGap(this.span.fromMs, toMs, toMs)])
        this.span = { ...this.span, toMs, isCounted: true }
      }
      yield* Effect.logInfo("the journal can be written again")
    })
  }
}
