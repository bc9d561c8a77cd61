import { Result } from "effect"
import { otelVariables, problemsOf, type VariableProblem } from "./otelVariables.ts"

/** What is sent, by the standard `OTEL_*` variables. */
export interface TelemetrySettings {
  readonly traces: boolean
  readonly metrics: boolean
  readonly logs: boolean
  /** What the program is called, and what else is said of it with everything that is sent. */
  readonly resource: Readonly<Record<string, string>>
  /** The share of the frequent traces that are kept; absent where `OTEL_TRACES_SAMPLER` names a sampler of the SDK. */
  readonly frequentShare: number | undefined
  readonly metricInterval_ms: number
  readonly metricTimeout_ms: number
  readonly temporality: "cumulative" | "delta"
  readonly spanQueue: QueueSettings
  readonly logQueue: QueueSettings
  /** The variables as they were given, for the environment: the SDK reads addresses, headers and certificates there. */
  readonly variables: Readonly<Record<string, string>>
}

/** What waits for the receiver, of one kind. */
export interface QueueSettings {
  readonly maxQueueSize: number
  readonly maxExportBatchSize: number
  readonly scheduledDelayMillis: number
  readonly exportTimeoutMillis: number
}

export interface ReadTelemetry {
  /** `undefined` when nothing is to be sent. */
  readonly telemetry: TelemetrySettings | undefined
  readonly warnings: ReadonlyArray<string>
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * One in twenty traces of what happens many times a second is kept: enough to see where time goes at any hour, and a
 * small part of what the work itself costs (docs/telemetry.md).
 */
const frequentShare_default = 0.05

/**
 * Reads the standard `OTEL_*` variables. A signal is sent when its exporter is `otlp`, or nothing is said of that and an
 * address is. Fails with every wrong value; a name that the observer does not obey is a warning.
 */
export const readTelemetry = (
  environment: Environment
): Result.Result<ReadTelemetry, ReadonlyArray<VariableProblem>> => {
  const given = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      const text = value?.trim() ?? ""
      return name.startsWith("OTEL_") && text !== "" ? [[name, text]] : []
    })
  )
  const problems = problemsOf(given)
  if (given["OTEL_SDK_DISABLED"] === "true") return Result.succeed({ telemetry: undefined, warnings: [] })
  const telemetry = settingsOf(given)
  const all = [...problems, ...(problems.length === 0 ? togetherProblems(telemetry) : [])]
  if (all.length > 0) return Result.fail(all)
  const unknown = Object.keys(given).filter((name) => otelVariables[name] === undefined)
  const warnings = unknown.length === 0 ? [] : [`these OTEL_ settings are not obeyed: ${unknown.join(", ")}`]
  const { logs, metrics, traces } = telemetry
  return Result.succeed({ telemetry: traces || metrics || logs ? telemetry : undefined, warnings })
}

const settingsOf = (given: Readonly<Record<string, string>>): TelemetrySettings => {
  const number = (name: string, otherwise: number) => Number(given[name] ?? otherwise)
  const isSent = (signal: "TRACES" | "METRICS" | "LOGS") =>
    (given[`OTEL_${signal}_EXPORTER`] ??
      (given["OTEL_EXPORTER_OTLP_ENDPOINT"] === undefined &&
      given[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] === undefined
        ? "none"
        : "otlp")) === "otlp"
  const queue = (of: "BSP" | "BLRP", delay_ms: number): QueueSettings => {
    const maxQueueSize = number(`OTEL_${of}_MAX_QUEUE_SIZE`, 2_048)
    return {
      maxQueueSize,
      maxExportBatchSize: number(`OTEL_${of}_MAX_EXPORT_BATCH_SIZE`, Math.min(512, maxQueueSize)),
      scheduledDelayMillis: number(`OTEL_${of}_SCHEDULE_DELAY`, delay_ms),
      exportTimeoutMillis: number(`OTEL_${of}_EXPORT_TIMEOUT`, 30_000)
    }
  }
  const { OTEL_SERVICE_NAME: name, OTEL_TRACES_SAMPLER: sampler } = given
  const metricInterval_ms = number("OTEL_METRIC_EXPORT_INTERVAL", 60_000)
  return {
    traces: isSent("TRACES"),
    metrics: isSent("METRICS"),
    logs: isSent("LOGS"),
    resource: {
      "service.name": "observer",
      ...pairsOf(given["OTEL_RESOURCE_ATTRIBUTES"]),
      ...(name === undefined ? {} : { "service.name": name })
    },
    frequentShare: sampler === undefined ? number("OTEL_TRACES_SAMPLER_ARG", frequentShare_default) : undefined,
    metricInterval_ms,
    metricTimeout_ms: number("OTEL_METRIC_EXPORT_TIMEOUT", Math.min(30_000, metricInterval_ms)),
    temporality: given["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] === "delta" ? "delta" : "cumulative",
    spanQueue: queue("BSP", 5_000),
    logQueue: queue("BLRP", 1_000),
    variables: given
  }
}

const pairsOf = (text = ""): Record<string, string> =>
  Object.fromEntries(
    text.split(",").flatMap((pair) => {
      const at = pair.indexOf("=")
      return at < 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)].map((part) => decodeSafely(part.trim()))]
    })
  )

const decodeSafely = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What must not be seen in any line, though it cannot be used as it is: values of headers, and the password of an address. */
export const telemetrySecrets = (environment: Environment): ReadonlyArray<string> =>
  Object.entries(environment).flatMap(([name, text = ""]) => {
    if (!name.startsWith("OTEL_")) return []
    if (name.endsWith("HEADERS")) {
      // As it is written and as it is meant; the token of `Bearer …` is one by itself.
      const written = text.split(",").map((pair) => pair.slice(pair.indexOf("=") + 1).trim())
      return written.flatMap((value) => {
        const meant = decodeSafely(value)
        return [value, meant, ...meant.split(" ").slice(1)]
      })
    }
    if (!name.endsWith("ENDPOINT") || !URL.canParse(text)) return []
    const { password } = new URL(text)
    return password === "" ? [] : [password, decodeSafely(password)]
  })

/** What each variable allows and both together do not. */
const togetherProblems = (telemetry: TelemetrySettings): ReadonlyArray<VariableProblem> => {
  const { logQueue, metricInterval_ms, metricTimeout_ms, spanQueue, variables } = telemetry
  const problems: Array<VariableProblem> = []
  for (const [of, queue] of Object.entries({ BSP: spanQueue, BLRP: logQueue })) {
    if (queue.maxExportBatchSize <= queue.maxQueueSize) continue
    const variable = `OTEL_${of}_MAX_EXPORT_BATCH_SIZE`
    problems.push({
      variable,
      found: `is ${queue.maxExportBatchSize}`,
      allowed: `no more than ${queue.maxQueueSize}, what the queue holds`
    })
  }
  if (metricTimeout_ms > metricInterval_ms) {
    const found = `is ${metricTimeout_ms}`
    problems.push({
      variable: "OTEL_METRIC_EXPORT_TIMEOUT",
      found,
      allowed: `no more than the interval, ${metricInterval_ms}`
    })
  }
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share } = variables
  if (sampler?.includes("ratio") === true && share === undefined) {
    problems.push({
      variable: "OTEL_TRACES_SAMPLER_ARG",
      found: "is not set",
      allowed: `the share of all traces that ${sampler} keeps, from 0 to 1`
    })
  }
  return problems
}
