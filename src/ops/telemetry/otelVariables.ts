import { readFileSync } from "node:fs"

/** A value that will not do, in the words of the settings. */
export interface VariableProblem {
  readonly variable: string
  readonly found: string
  readonly allowed: string
}

/** What is allowed, in words, when a text is not; `undefined` when it is. */
type Check = (text: string) => string | undefined

const oneOf =
  (...values: ReadonlyArray<string>): Check =>
  (text) =>
    values.includes(text) ? undefined : values.join(" or ")

const whole =
  (least: number, most: number, of: string): Check =>
  (text) =>
    /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `a whole number${of} from ${least} to ${most}`

const anyText: Check = () => undefined

const address: Check = (text) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? undefined : "an http:// or https:// address"

const pairs: Check = (text) => {
  const isPair = (pair: string) => /^\s*[^=\s]+\s*=/.test(pair) && isDecodable(pair)
  return text.split(",").every((pair) => pair.trim() === "" || isPair(pair))
    ? undefined
    : "name=value pairs with commas between them, other characters percent-encoded"
}

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const readableFile: Check = (text) => {
  try {
    readFileSync(text)
    return undefined
  } catch {
    return "a PEM file that the observer's user can read"
  }
}

/** The longest that Node's timers count. */
const ms_max = 2_147_483_647
const milliseconds = whole(1, ms_max, " of milliseconds")
/** What waits for a receiver that is slow is bounded, whatever is asked for. */
const queued_max = 65_536
const items = whole(1, queued_max, "")
const limit = whole(0, ms_max, "")

const exporterChecks = (signal: string): Record<string, Check> => ({
  [`OTEL_EXPORTER_OTLP_${signal}ENDPOINT`]: address,
  [`OTEL_EXPORTER_OTLP_${signal}HEADERS`]: pairs,
  [`OTEL_EXPORTER_OTLP_${signal}TIMEOUT`]: milliseconds,
  [`OTEL_EXPORTER_OTLP_${signal}COMPRESSION`]: oneOf("gzip", "none"),
  [`OTEL_EXPORTER_OTLP_${signal}PROTOCOL`]: oneOf("http/protobuf"),
  [`OTEL_EXPORTER_OTLP_${signal}CERTIFICATE`]: readableFile,
  [`OTEL_EXPORTER_OTLP_${signal}CLIENT_CERTIFICATE`]: readableFile,
  [`OTEL_EXPORTER_OTLP_${signal}CLIENT_KEY`]: readableFile
})

const queueChecks = (of: string): Record<string, Check> => ({
  [`OTEL_${of}_SCHEDULE_DELAY`]: milliseconds,
  [`OTEL_${of}_EXPORT_TIMEOUT`]: milliseconds,
  [`OTEL_${of}_MAX_QUEUE_SIZE`]: items,
  [`OTEL_${of}_MAX_EXPORT_BATCH_SIZE`]: items
})

const limitNames = [
  "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
  "OTEL_ATTRIBUTE_COUNT_LIMIT",
  "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
  "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
  "OTEL_SPAN_EVENT_COUNT_LIMIT",
  "OTEL_SPAN_LINK_COUNT_LIMIT",
  "OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT",
  "OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT"
]

/** Every standard variable that the observer obeys, and what it takes. */
export const otelVariables: Readonly<Record<string, Check>> = {
  OTEL_SDK_DISABLED: oneOf("true", "false"),
  OTEL_SERVICE_NAME: anyText,
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  OTEL_TRACES_EXPORTER: oneOf("otlp", "none"),
  OTEL_METRICS_EXPORTER: oneOf("otlp", "none"),
  OTEL_LOGS_EXPORTER: oneOf("otlp", "none"),
  ...exporterChecks(""),
  ...exporterChecks("TRACES_"),
  ...exporterChecks("METRICS_"),
  ...exporterChecks("LOGS_"),
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: oneOf("cumulative", "delta"),
  OTEL_TRACES_SAMPLER: oneOf(
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio"
  ),
  OTEL_TRACES_SAMPLER_ARG: (text) =>
    /^(0?\.\d+|[01](\.0*)?|0\.\d*)$/.test(text) ? undefined : "a share of all traces from 0 to 1",
  ...queueChecks("BSP"),
  ...queueChecks("BLRP"),
  OTEL_METRIC_EXPORT_INTERVAL: milliseconds,
  OTEL_METRIC_EXPORT_TIMEOUT: milliseconds,
  ...Object.fromEntries(limitNames.map((name) => [name, limit]))
}

/** Headers bear tokens, and addresses may bear passwords. */
const shown = (variable: string, text: string) =>
  /HEADERS$|ENDPOINT$/.test(variable) ? "does not read as one" : `is ${JSON.stringify(text)}`

/** What is wrong with the standard variables that are set, each by itself. */
export const problemsOf = (given: Readonly<Record<string, string>>): ReadonlyArray<VariableProblem> =>
  Object.entries(given).flatMap(([variable, text]) => {
    const allowed = otelVariables[variable]?.(text)
    return allowed === undefined ? [] : [{ variable, found: shown(variable, text), allowed }]
  })
