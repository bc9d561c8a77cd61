import { Effect, Metric } from "effect"
import type { HealthReport } from "../Health.ts"
import { raiseTo } from "./raiseTo.ts"

const counter = (name: string, description: string) =>
  Metric.counter(name, { description: `${description}, by source`, incremental: true })

const counters = {
  received: counter("observer_records_received_total", "Records that reached us"),
  stored: counter("observer_records_stored_total", "Records written to the journal"),
  rejected: counter("observer_records_rejected_total", "Records kept out of the data"),
  deduplicated: counter("observer_records_deduplicated_total", "Records that said nothing new")
}
const inFlight = Metric.gauge("observer_records_in_flight_count", {
  description: "Records on their way to the journal, counted where they are, by source"
})
const remainder = Metric.gauge("observer_conservation_remainder_records", {
  description: "Records received and neither stored, rejected, deduplicated nor in flight, by source; not 0 is a fault"
})

/** Writes what was received of each source, and what has become of it, into the metrics. */
export const refreshConservationMeters = Effect.fnUntraced(function* (conservation: HealthReport["conservation"]) {
  for (const [source, balance] of Object.entries(conservation)) {
    const of = <Input, State>(metric: Metric.Metric<Input, State>) => Metric.withAttributes(metric, { source })
    yield* raiseTo(of(counters.received), balance.received)
    yield* raiseTo(of(counters.stored), balance.stored)
    yield* raiseTo(of(counters.rejected), balance.rejected)
    yield* raiseTo(of(counters.deduplicated), balance.deduplicated)
    yield* Metric.update(of(inFlight), balance.inFlight)
    yield* Metric.update(of(remainder), balance.remainder)
  }
})
