import { Effect, Metric } from "effect"

const refusals = Metric.counter("observer_http_refusals_total", {
  description: "HTTP requests that were not answered, by reason",
  incremental: true
})

/** Why a request came to nothing; a closed list, for it is a label. */
const refusalReasons = ["noToken", "wrongToken", "tooManyWrongTokens", "foreign", "url", "headers"] as const

export type RefusalReason = (typeof refusalReasons)[number]

/** Begins every series at 0, so that the first refusal is seen as one more. */
export const beginRefusals: Effect.Effect<void> = Effect.forEach(
  refusalReasons,
  (reason) => Metric.update(Metric.withAttributes(refusals, { reason }), 0),
  { discard: true }
)

/** Counts a request that is refused. */
export const refused = (reason: RefusalReason): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(refusals, { reason }), 1)
