import { type Effect, Metric } from "effect"

const deliveries = Metric.counter("observer_alert_deliveries_total", {
  description: "Messages of alarms, by channel and what became of them",
  incremental: true
})

/** `retried` is a try that is not the last; `dropped` are events that a full queue let go of. */
type DeliveryResult = "sent" | "retried" | "failed" | "dropped"

export const meterDelivery = (channel: string, result: DeliveryResult, count = 1): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(deliveries, { channel, result }), count)
