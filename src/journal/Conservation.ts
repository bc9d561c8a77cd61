import { Context, Effect, Layer, Metric } from "effect"
import type { RecordSource } from "../domain/JournalRecord.ts"

/** Records of one source since the start. At rest `received = stored + rejected + deduplicated`. */
export interface Tally {
  readonly received: number
  readonly stored: number
  readonly rejected: number
  readonly deduplicated: number
}

const nothing: Tally = { received: 0, stored: 0, rejected: 0, deduplicated: 0 }

const counters = {
  received: Metric.counter("observer_records_received_total", {
    description: "Records that reached us, by source",
    incremental: true
  }),
  stored: Metric.counter("observer_records_stored_total", {
    description: "Records written to the journal, by source",
    incremental: true
  }),
  rejected: Metric.counter("observer_records_rejected_total", {
    description: "Records kept out of the data, by source",
    incremental: true
  }),
  deduplicated: Metric.counter("observer_records_deduplicated_total", {
    description: "Records that said nothing new, by source",
    incremental: true
  })
}

/**
 * The law that nothing is lost in silence, counted: whoever receives says so at the edge, whoever stores, rejects or
 * drops as a duplicate says so when it is done. What is left over is on its way through a mailbox; at rest a remainder
 * is a fault.
 */
export class Conservation extends Context.Service<
  Conservation,
  {
    /** Adds to a source's counts; one call per chunk. */
    add(source: RecordSource, amounts: Partial<Tally>): Effect.Effect<void>
    readonly tallies: Effect.Effect<ReadonlyMap<RecordSource, Tally>>
  }
>()("observer/journal/Conservation") {
  static readonly layer = Layer.sync(Conservation, () => {
    const tallies = new Map<RecordSource, Tally>()
    return Conservation.of({
      add: Effect.fnUntraced(function* (source, amounts) {
        const before = tallies.get(source) ?? nothing
        const { deduplicated = 0, received = 0, rejected = 0, stored = 0 } = amounts
        tallies.set(source, {
          received: before.received + received,
          stored: before.stored + stored,
          rejected: before.rejected + rejected,
          deduplicated: before.deduplicated + deduplicated
        })
        const updates = { received, stored, rejected, deduplicated }
        for (const name of ["received", "stored", "rejected", "deduplicated"] as const) {
          if (updates[name] > 0) yield* Metric.update(Metric.withAttributes(counters[name], { source }), updates[name])
        }
      }),
      tallies: Effect.sync(() => new Map(tallies))
    })
  })
}

/** What was received and is neither stored, rejected nor deduplicated yet. */
export const inFlight = ({ deduplicated, received, rejected, stored }: Tally): number =>
  received - stored - rejected - deduplicated
