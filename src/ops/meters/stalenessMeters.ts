import { Effect, Metric } from "effect"
import type { SymbolAge } from "../../domain/Assignment.ts"

const staleness = Metric.histogram("observer_staleness_seconds", {
  description: "How old the quotes of all symbols were, whenever the metrics were asked for",
  boundaries: [0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 900, 3_600]
})

/** Adds the age of every symbol that was seen: once per look, so that the rate of the buckets is the ages of all symbols. */
export const refreshStaleness = (ages: ReadonlyArray<SymbolAge>): Effect.Effect<void> =>
  Effect.contextWith((services) =>
    Effect.sync(() => {
      for (const { seenAtMs, staleness_ms } of ages) {
        if (seenAtMs !== undefined) staleness.updateUnsafe(staleness_ms / 1_000, services)
      }
    })
  )
