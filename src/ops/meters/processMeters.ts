import { Effect, Metric } from "effect"
import { readdirSync } from "node:fs"
import { LogKeeper } from "../logging/LogKeeper.ts"
import { lagQuantiles, ProcessLag } from "./EventLoopLag.ts"
import { raiseTo } from "./raiseTo.ts"

const gauge = (name: string, description: string) => Metric.gauge(name, { description })

const lag = gauge(
  "observer_event_loop_lag_seconds",
  "How late the event loop came to what was due, of the last minute or two, by quantile"
)
const heap = gauge("observer_heap_used_bytes", "Bytes of the heap in use")
const resident = gauge("observer_resident_bytes", "Bytes of memory that the process holds")
const descriptors = gauge("observer_open_descriptors_count", "Files and sockets that the process holds open")
const lostLines = Metric.counter("observer_log_lost_lines_total", {
  description: "Lines that observer.log could not take",
  incremental: true
})

/** Where the system shows them; elsewhere there is no such metric. */
const openDescriptors = (): number | undefined => {
  try {
    // The folder's own is one of them.
    return readdirSync("/proc/self/fd").length - 1
  } catch {
    return undefined
  }
}

/** Writes what the process knows of itself into the metrics. */
export const refreshProcessMeters = Effect.gen(function* () {
  const seconds = (yield* ProcessLag).seconds()
  for (const [at, quantile] of lagQuantiles.entries()) {
    yield* Metric.update(Metric.withAttributes(lag, { quantile: String(quantile) }), seconds[at] ?? 0)
  }
  const { heapUsed, rss } = process.memoryUsage()
  yield* Metric.update(heap, heapUsed)
  yield* Metric.update(resident, rss)
  const open = openDescriptors()
  if (open !== undefined) yield* Metric.update(descriptors, open)
  yield* raiseTo(lostLines, (yield* LogKeeper).lostLines())
})
