import { Cause, Formatter, type Logger, type LogLevel, References } from "effect"
import { spanOf } from "../../actor/inSpan.ts"

/** One log event, taken apart. Values are made plain and secrets are redacted when it is written. */
export interface Entry {
  readonly at: Date
  readonly level: LogLevel.LogLevel
  readonly message: string
  readonly fiber: number
  /** Milliseconds since each span began. */
  readonly spans: Readonly<Record<string, number>>
  readonly cause: string | undefined
  readonly annotations: Readonly<Record<string, unknown>>
  /** The trace it belongs to and the span in it, where somebody traces and keeps this trace. */
  readonly trace: string | undefined
  readonly span: string | undefined
}

/**
 * Texts and numbers of a log call make its message; plain objects among them join the annotations, so that
 * `Effect.logWarning("reconnecting", { attempt })` can be searched by `attempt`.
 */
export const toEntry = ({ cause, date, fiber, logLevel, message }: Logger.Options<unknown>): Entry => {
  const parts = Array.isArray(message) ? message : [message]
  const objects = parts.filter(isPlainObject)
  const words = parts.filter((part) => !isPlainObject(part)).map(inWords)
  const around = spanOf(fiber)
  const kept = around?.sampled === true ? around : undefined
  return {
    at: date,
    level: logLevel,
    message: words.join(" "),
    fiber: fiber.id,
    spans: Object.fromEntries(
      fiber.getRef(References.CurrentLogSpans).map(([label, since]) => [label, date.getTime() - since])
    ),
    cause: cause.reasons.length > 0 ? Cause.pretty(cause) : undefined,
    annotations: Object.assign({}, fiber.getRef(References.CurrentLogAnnotations), ...objects),
    trace: kept?.traceId,
    span: kept?.spanId
  }
}

const own = ["time", "level", "message", "fiber", "spans", "cause", "trace", "span"]

/** One line of JSON. An annotation named like one of our own keys gets a `_` behind it. */
export const toJsonLine = ({ annotations, at, cause, fiber, level, message, span, spans, trace }: Entry): string =>
  Formatter.formatJson({
    time: at.toISOString(),
    level: level.toUpperCase(),
    message,
    fiber,
    spans: Object.keys(spans).length > 0 ? spans : undefined,
    cause,
    trace,
    span,
    ...Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [own.includes(key) ? `${key}_` : key, value])
    )
  })

/** A value in one word or more, for human eyes. */
export const inWords = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value instanceof Error) return value.message === "" ? value.name : value.message
  return typeof value === "object" && value !== null ? Formatter.formatJson(value) : String(value)
}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
