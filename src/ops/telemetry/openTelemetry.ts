import { layerTracerProvider } from "@effect/opentelemetry/NodeSdk"
import { layerLoggerProvider, OtelLoggerProvider } from "@effect/opentelemetry/OtelLogger"
import { makeProducer, registerProducer } from "@effect/opentelemetry/OtelMetrics"
import { layerTracer, make as makeTracer } from "@effect/opentelemetry/OtelTracer"
import { layer as layerResource, type Resource } from "@effect/opentelemetry/Resource"
import { TraceFlags } from "@opentelemetry/api"
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto"
import { BatchLogRecordProcessor } from "@opentelemetry/sdk-logs"
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { type Context, Effect, Layer, Logger, Tracer } from "effect"
import { Telemetry, type TelemetryOptions } from "../Telemetry.ts"
import { Delivery } from "./Delivery.ts"
import { otlpLogger } from "./otlpLogger.ts"
import { refreshedProducer } from "./refreshedProducer.ts"
import { frequentSampler } from "./sampler.ts"
import { scrubSpans } from "./scrubSpans.ts"

/** A program that hangs in its own status must not keep its metrics from being sent. */
const refresh_timeout = "1 second"

/**
 * The only module that loads OpenTelemetry. What waits for the receiver is bounded by the SDK's queues, every try by its
 * time-out, and the end of the program by `flush_ms` for each signal.
 */
export const openTelemetry = (options: TelemetryOptions): Layer.Layer<Telemetry> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { logs, metrics, resource, traces } = options.settings
      const services = yield* Effect.context<never>()
      let refresh: Effect.Effect<void> = Effect.void
      const refreshed = () =>
        Effect.runPromiseWith(services)(
          Effect.ignoreCause(
            Effect.timeoutOption(
              Effect.suspend(() => refresh),
              refresh_timeout
            )
          )
        )
      const { "service.name": serviceName = "observer", ...attributes } = resource
      const telemetry = Layer.succeed(Telemetry, {
        refreshBy: (next) => Effect.sync(() => void (refresh = next))
      })
      return Layer.mergeAll(
        telemetry,
        traces ? traceLayer(options, services) : Layer.empty,
        metrics ? metricLayer(options, services, refreshed) : Layer.empty,
        logs ? logLayer(options, services) : Layer.empty
      ).pipe(
        Layer.provide(
          layerResource({
            serviceName,
            attributes: { "service.version": options.version, "service.instance.id": options.node, ...attributes }
          })
        )
      )
    })
  )

type Services = Context.Context<never>

const traceLayer = (
  { flush_ms, scrub, settings }: TelemetryOptions,
  services: Services
): Layer.Layer<never, never, Resource> => {
  const { frequentShare, spanQueue } = settings
  const delivery = new Delivery("traces", services)
  const exporter = new OTLPTraceExporter()
  delivery.watch(exporter, (spans) => spans.length, scrubSpans(scrub))
  const processor = new BatchSpanProcessor(exporter, { ...spanQueue })
  const onEnd = processor.onEnd.bind(processor)
  processor.onEnd = (span) => {
    if (span.spanContext().traceFlags & TraceFlags.SAMPLED) delivery.queued(spanQueue.maxQueueSize)
    onEnd(span)
  }
  const provider = layerTracerProvider(processor, {
    shutdownTimeout: flush_ms,
    ...(frequentShare === undefined ? {} : { sampler: frequentSampler(frequentShare) })
  })
  // Without the bridge into OpenTelemetry's own context, which is entered for every step of every fiber: no library here
  // makes spans by itself.
  return Layer.effect(
    Tracer.Tracer,
    Effect.map(makeTracer, (tracer) => Tracer.make({ span: (span) => tracer.span(span) }))
  ).pipe(Layer.provide(layerTracer), Layer.provide(provider))
}

const metricLayer = (
  { flush_ms, settings }: TelemetryOptions,
  services: Services,
  refresh: () => Promise<void>
): Layer.Layer<never, never, Resource> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const delivery = new Delivery("metrics", services)
      const exporter = new OTLPMetricExporter()
      delivery.watch(exporter, ({ scopeMetrics }) => scopeMetrics.reduce((sum, { metrics }) => sum + metrics.length, 0))
      const producer = refreshedProducer(yield* makeProducer(settings.temporality), refresh)
      const reader = new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: settings.metricInterval_ms,
        exportTimeoutMillis: settings.metricTimeout_ms
      })
      yield* registerProducer(producer, () => reader, { shutdownTimeout: flush_ms })
    })
  )

const logLayer = (
  { flush_ms, scrub, settings, version }: TelemetryOptions,
  services: Services
): Layer.Layer<never, never, Resource> => {
  const { logQueue } = settings
  const delivery = new Delivery("logs", services)
  const exporter = new OTLPLogExporter()
  delivery.watch(exporter, (records) => records.length)
  const processor = new BatchLogRecordProcessor({ exporter, ...logQueue })
  const onEmit = processor.onEmit.bind(processor)
  processor.onEmit = (record) => {
    delivery.queued(logQueue.maxQueueSize)
    onEmit(record)
  }
  const logger = Effect.map(OtelLoggerProvider, (provider) =>
    otlpLogger(provider.getLogger("observer", version), scrub)
  )
  return Logger.layer([logger], { mergeWithExisting: true }).pipe(
    Layer.provide(layerLoggerProvider(processor, { shutdownTimeout: flush_ms }))
  )
}
