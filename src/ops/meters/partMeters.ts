import { Effect, Metric } from "effect"
import type { HealthReport, PartStatus } from "../Health.ts"

const state = Metric.gauge("observer_part_state", {
  description: "1 for the status that a part of health has, 0 for the others"
})

const statuses: ReadonlyArray<PartStatus> = ["ok", "starting", "degraded", "down", "off"]

/** Writes the status of every part of health into the metrics. */
export const refreshPartMeters = Effect.fnUntraced(function* (parts: HealthReport["parts"]) {
  for (const [part, { status: found }] of Object.entries(parts)) {
    for (const status of statuses) {
      yield* Metric.update(Metric.withAttributes(state, { part, status }), status === found ? 1 : 0)
    }
  }
})
