import { Effect, Metric } from "effect"

/** Whoever keeps the log file counts here what it could not take. */
const name = "observer_log_lost_lines_total"

/** Lines that the log file has lost since the start, as the metrics have it; 0 where nobody counts. */
export const readLogLost: Effect.Effect<number> = Effect.map(Metric.snapshot, (all) => {
  const found = all.find(({ id }) => id === name)
  if (found?.type === "Counter") return Number(found.state.count)
  return found?.type === "Gauge" ? Number(found.state.value) : 0
})
