import { Effect, Metric } from "effect"

const deliveries = Metric.counter("observer_alert_deliveries_total", {
  description: "Messages of alarms, by channel and what became of them",
  incremental: true
})

/** `retried` is a try that is not the last; `dropped` are events that a full queue let go of. */
const results = ["sent", "retried", "failed", "dropped"] as const
type DeliveryResult = (typeof results)[number]

export const meterDelivery = (channel: string, result: DeliveryResult, count = 1): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(deliveries, { channel, result }), count)

/** Begins every series of a channel at 0, so that its first failure is seen as one more. */
export const beginDeliveries = (channel: string): Effect.Effect<void> =>
  Effect.forEach(results, (result) => meterDelivery(channel, result, 0), { discard: true })
