import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readTelemetry } from "../../../src/ops/telemetry/TelemetrySettings.ts"

const read = (env: Record<string, string>) => Result.getOrThrow(readTelemetry(env))
const sentBy = (env: Record<string, string>) => {
  const { telemetry } = read(env)
  return (["traces", "metrics", "logs"] as const).filter((signal) => telemetry?.[signal])
}
const wrong = (env: Record<string, string>) => {
  const result = readTelemetry(env)
  return Result.isFailure(result) ? result.failure : []
}
const receiver = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }

describe("the OTEL settings", () => {
  it("send nothing when none is set, and when all is disabled, whatever else they say", () => {
    assert.deepStrictEqual(read({}), { telemetry: undefined, warnings: [] })
    assert.deepStrictEqual(read({ OTEL_SERVICE_NAME: "x" }), { telemetry: undefined, warnings: [] })
    const disabled = { ...receiver, OTEL_SDK_DISABLED: "true", OTEL_TRACES_EXPORTER: "console" }
    assert.deepStrictEqual(read(disabled), { telemetry: undefined, warnings: [] })
  })

  it("send what has an address, or whose exporter is otlp, and nothing whose exporter is none", () => {
    assert.deepStrictEqual(sentBy(receiver), ["traces", "metrics", "logs"])
    assert.deepStrictEqual(sentBy({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t/v1/traces" }), ["traces"])
    assert.deepStrictEqual(sentBy({ ...receiver, OTEL_METRICS_EXPORTER: "none" }), ["traces", "logs"])
    assert.deepStrictEqual(sentBy({ OTEL_LOGS_EXPORTER: "otlp" }), ["logs"])
  })

  it("name the program and say what else is told of it; the service's own name wins", () => {
    const attributes = "deployment.environment=home,team=a%2Cb,service.name=other"
    assert.deepStrictEqual(read({ ...receiver, OTEL_RESOURCE_ATTRIBUTES: attributes }).telemetry?.resource, {
      "service.name": "other",
      "deployment.environment": "home",
      team: "a,b"
    })
    const named = { ...receiver, OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: "mine" }
    assert.strictEqual(read(named).telemetry?.resource["service.name"], "mine")
    assert.deepStrictEqual(read(receiver).telemetry?.resource, { "service.name": "observer" })
  })

  it("keep a share of the frequent traces unless a sampler is named", () => {
    assert.strictEqual(read(receiver).telemetry?.frequentShare, 0.05)
    assert.strictEqual(read({ ...receiver, OTEL_TRACES_SAMPLER_ARG: "0.5" }).telemetry?.frequentShare, 0.5)
    const named = read({ ...receiver, OTEL_TRACES_SAMPLER: "parentbased_always_on" })
    assert.isUndefined(named.telemetry?.frequentShare)
  })

  it("are refused when a value will not do, each with what would", () => {
    const cases: ReadonlyArray<readonly [variable: string, value: string, allowed: RegExp]> = [
      ["OTEL_SDK_DISABLED", "yes", /true or false/],
      ["OTEL_TRACES_EXPORTER", "console", /otlp or none/],
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", /http:\/\/ or https:\/\//],
      ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "ftp://x", /http:\/\/ or https:\/\//],
      ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", /http\/protobuf/],
      ["OTEL_EXPORTER_OTLP_HEADERS", "Bearer x", /name=value/],
      ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s", /milliseconds/],
      ["OTEL_EXPORTER_OTLP_COMPRESSION", "zip", /gzip or none/],
      ["OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem", /PEM file/],
      ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory", /cumulative or delta/],
      ["OTEL_TRACES_SAMPLER", "jaeger_remote", /parentbased_traceidratio/],
      ["OTEL_TRACES_SAMPLER_ARG", "1.5", /from 0 to 1/],
      ["OTEL_BSP_MAX_QUEUE_SIZE", "9999999", /65536/],
      ["OTEL_BLRP_SCHEDULE_DELAY", "0", /from 1/],
      ["OTEL_METRIC_EXPORT_INTERVAL", "-1", /milliseconds/],
      ["OTEL_SPAN_EVENT_COUNT_LIMIT", "many", /whole number/],
      ["OTEL_RESOURCE_ATTRIBUTES", "a=%zz", /percent-encoded/]
    ]
    for (const [variable, value, allowed] of cases) {
      const [problem, ...more] = wrong({ ...receiver, [variable]: value })
      assert.deepStrictEqual(more, [], variable)
      assert.strictEqual(problem?.variable, variable)
      assert.match(problem?.allowed ?? "", allowed)
    }
  })

  it("are refused when two do not go together", () => {
    const batch = wrong({ ...receiver, OTEL_BSP_MAX_QUEUE_SIZE: "10", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "20" })
    assert.strictEqual(batch[0]?.variable, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE")
    const timeout = wrong({ ...receiver, OTEL_METRIC_EXPORT_INTERVAL: "1000", OTEL_METRIC_EXPORT_TIMEOUT: "2000" })
    assert.strictEqual(timeout[0]?.variable, "OTEL_METRIC_EXPORT_TIMEOUT")
    const share = wrong({ ...receiver, OTEL_TRACES_SAMPLER: "traceidratio" })
    assert.strictEqual(share[0]?.variable, "OTEL_TRACES_SAMPLER_ARG")
  })

  it("tell no header and no address when they are refused", () => {
    const [headers] = wrong({ OTEL_EXPORTER_OTLP_HEADERS: "my secret" })
    assert.notInclude(headers?.found ?? "", "secret")
    const [address] = wrong({ OTEL_EXPORTER_OTLP_ENDPOINT: "me:secret@host" })
    assert.notInclude(address?.found ?? "", "secret")
  })

  it("that nobody obeys are said by name", () => {
    const { warnings } = read({ ...receiver, OTEL_EXPORTER_OTLP_ENPOINT: "http://x", OTEL_PROPAGATORS: "b3" })
    assert.deepStrictEqual(warnings, [
      "these OTEL_ settings are not obeyed: OTEL_EXPORTER_OTLP_ENPOINT, OTEL_PROPAGATORS"
    ])
  })
})
