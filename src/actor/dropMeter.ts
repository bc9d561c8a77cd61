import { type Context, Effect, Metric } from "effect"

const dropped = Metric.counter("observer_records_dropped_total", {
  description: "What was received and let go of before it was stored, by reason: records, and of overflow frames",
  incremental: true
})

/** Why something received was let go of; a closed list, for it is a label. */
const dropReasons = [
  /** A stream brought more than could be held; counted in frames, which nobody has taken apart. */
  "overflow",
  /** It came after the shards had ended for the stop. */
  "drained",
  /** Whoever had it in hand ended before it was handed on. */
  "interrupted"
] as const

type DropReason = (typeof dropReasons)[number]

const of = (reason: DropReason) => Metric.withAttributes(dropped, { reason })

/** Begins every series at 0, so that the first drop is seen as one more. */
export const beginDrops: Effect.Effect<void> = Effect.forEach(dropReasons, (reason) => Metric.update(of(reason), 0), {
  discard: true
})

export const meterDropped = (reason: DropReason, amount: number): Effect.Effect<void> =>
  Metric.update(of(reason), amount)

/** For a callback outside of any fiber. */
export const meterDroppedUnsafe = (reason: DropReason, amount: number, services: Context.Context<never>): void =>
  of(reason).updateUnsafe(amount, services)
