import { logLevelToSeverityNumber } from "@effect/opentelemetry/OtelLogger"
import { ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api"
import type { Logger as OtelLogger } from "@opentelemetry/api-logs"
import { Logger } from "effect"
import { inWords, toEntry } from "../logging/entry.ts"

const plain = (value: unknown): string | number | boolean =>
  typeof value === "number" || typeof value === "boolean" ? value : inWords(value)

/** The lines of `observer.log` as OTLP log records: the message, its annotations as attributes, and the trace it belongs to. */
export const otlpLogger = (otel: OtelLogger, scrub: (text: string) => string): Logger.Logger<unknown, void> => {
  const scrubbed = (value: unknown) => {
    const said = plain(value)
    return typeof said === "string" ? scrub(said) : said
  }
  return Logger.make((event) => {
    const { annotations, at, cause, fiber, level, message, span, trace: traceId } = toEntry(event)
    const attributes = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, scrubbed(value)]))
    otel.emit({
      timestamp: at,
      observedTimestamp: at,
      severityText: level.toUpperCase(),
      severityNumber: logLevelToSeverityNumber(level),
      body: scrub(message),
      attributes: { ...attributes, fiber, ...(cause === undefined ? {} : { "exception.stacktrace": scrub(cause) }) },
      context:
        traceId === undefined || span === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: span, traceFlags: TraceFlags.SAMPLED })
    })
  })
}
