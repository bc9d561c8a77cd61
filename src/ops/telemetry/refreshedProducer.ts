import type { MetricProducer } from "@opentelemetry/sdk-metrics"

/**
 * Brings the metrics up to date before each collection. Units are in the names; a unit of `1`, which is what the bridge
 * says of every metric, would have receivers lengthen them.
 */
export const refreshedProducer = (producer: MetricProducer, refresh: () => Promise<void>): MetricProducer => ({
  collect: async (options) => {
    await refresh()
    const { errors, resourceMetrics } = await producer.collect(options)
    const scopeMetrics = resourceMetrics.scopeMetrics.map(({ metrics, scope }) => ({
      scope,
      metrics: metrics.map((metric) => ({ ...metric, descriptor: { ...metric.descriptor, unit: "" } }))
    }))
    return { errors, resourceMetrics: { ...resourceMetrics, scopeMetrics } }
  }
})
