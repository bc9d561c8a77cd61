import { type Effect, Metric } from "effect"

const refusals = Metric.counter("observer_http_refusals_total", {
  description: "HTTP requests that were not answered, by reason",
  incremental: true
})

/** Why a request came to nothing; a closed list, for it is a label. */
export type RefusalReason = "noToken" | "wrongToken" | "tooManyWrongTokens" | "foreign" | "url" | "headers"

/** Counts a request that is refused. */
export const refused = (reason: RefusalReason): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(refusals, { reason }), 1)
