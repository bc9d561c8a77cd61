import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Child, startChild } from "../../support/children.ts"
import { compiled } from "../../support/compiled.ts"
import { eventually } from "../../support/eventually.ts"
import { makeHeaderWitness } from "../../support/headerWitness.ts"
import type { OtlpSpan } from "../../support/otlpMessages.ts"
import { makeOtlpReceiver } from "../../support/otlpReceiver.ts"
import { scratchFolder } from "../../support/virtualTime.ts"

const migrations = ["0001_records", "0002_bookkeeping", "0003_hypertable", "0004_usage", "0005_retention"]
const compile = Effect.gen(function* () {
  const folder = yield* compiled([
    "src/main.ts",
    "src/cli.ts",
    "src/simulator.ts",
    "src/sql/embeddedWorker.ts",
    "src/ops/telemetry/openTelemetry.ts",
    ...migrations.map((name) => `migrations/${name}.ts`)
  ])
  symlinkSync(join(folder, "migrations"), join(folder, "src", "migrations"))
  symlinkSync(fileURLToPath(new URL("../../../data", import.meta.url)), join(folder, "data"))
  // Writes which modules of OpenTelemetry were loaded, when the program ends.
  const spy = join(folder, "spy.cjs")
  const list = `Object.keys(require("node:module")._cache).filter((path) => /node_modules.@(effect.)?opentelemetry/.test(path))`
  writeFileSync(
    spy,
    `process.on("exit", () => require("node:fs").writeFileSync(process.env.SPY, JSON.stringify(${list})))`
  )
  return {
    cli: join(folder, "src/cli.js"),
    main: join(folder, "src/main.js"),
    simulator: join(folder, "src/simulator.js"),
    spy
  }
})

/** The programs, compiled once for all tests here. */
class Programs extends Context.Service<Programs, Effect.Success<typeof compile>>()("test/Programs") {
  static readonly layer = Layer.effect(Programs, compile)
}

const planted = {
  KIS_APP_KEY: "PSplantedplantedplantedplantedkey001",
  KIS_APP_SECRET: "plantedsecretplantedsecretplanted+/==",
  OBSERVER_HTTP_TOKEN: "planted-http-token-0123456789abcdef"
}

const hasEnded = ({ process: child }: Child) => child.exitCode !== null || child.signalCode !== null

const observing = Effect.fnUntraced(function* (variables: Record<string, string>) {
  const { main, simulator, spy } = yield* Programs
  const folder = yield* scratchFolder
  const exchange = yield* startChild([simulator, "--port", "0"], folder, {})
  yield* eventually(
    () => exchange.stdout().includes("\n"),
    exchange.stderr,
    () => hasEnded(exchange)
  )
  const { restUrl, wsUrl } = JSON.parse(exchange.stdout().split("\n")[0] ?? "") as { restUrl: string; wsUrl: string }
  const witness = yield* makeHeaderWitness(restUrl)
  writeFileSync(
    join(folder, ".env"),
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}\n`)
      .join("")
  )
  const observer = yield* startChild(["--require", spy, main], folder, {
    ...planted,
    OBSERVER_SOURCE_MODE: "kis",
    // More than can be streamed: what only sweeps see is new in each of them.
    OBSERVER_SYMBOLS: "top:200",
    OBSERVER_SESSION: "always",
    OBSERVER_HTTP_PORT: "0",
    KIS_REST_URL: witness.url,
    KIS_WS_URL: wsUrl,
    SPY: join(folder, "modules.json")
  })
  return {
    folder,
    observer,
    witness,
    modules: () => JSON.parse(readFileSync(join(folder, "modules.json"), "utf8")) as Array<string>
  }
})

/** The names of the spans from one up to the first of its trace; a parent that was never sent ends it with `?`. */
const lineage = (byId: ReadonlyMap<string, OtlpSpan>, span: OtlpSpan): ReadonlyArray<string> => {
  const names = [span.name]
  for (let at = span; at.parentSpanId !== "";) {
    const parent = byId.get(at.parentSpanId)
    if (parent === undefined) return [...names, "?"]
    assert.strictEqual(parent.traceId, span.traceId)
    names.push(parent.name)
    at = parent
  }
  return names
}
const indexed = (spans: ReadonlyArray<OtlpSpan>) => new Map(spans.map((span) => [span.spanId, span]))

const metricNames = [
  "observer_records_received_total",
  "observer_records_stored_total",
  "observer_conservation_remainder_records",
  "observer_actor_mailbox_depth",
  "observer_journal_unsynced_seconds",
  "observer_journal_fsync_seconds",
  "observer_follower_lag_seconds",
  "observer_reconnects_total",
  "observer_stream_slots_held_count",
  "observer_calls_total",
  "observer_token_age_seconds",
  "observer_staleness_seconds",
  "observer_event_loop_lag_seconds",
  "observer_heap_used_bytes",
  "observer_part_state"
]

layer(Programs.layer, { excludeTestServices: true })("a running observer", (it) => {
  it.effect(
    "sends its traces, metrics and logs to the receiver that .env names, and no secret with them",
    () =>
      Effect.gen(function* () {
        const receiver = yield* makeOtlpReceiver
        const { folder, modules, observer, witness } = yield* observing({
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          OTEL_EXPORTER_OTLP_HEADERS: "x-key=planted-otlp-key-0123456789",
          OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
          OTEL_TRACES_SAMPLER: "always_on",
          OTEL_BSP_SCHEDULE_DELAY: "200",
          OTEL_BLRP_SCHEDULE_DELAY: "200",
          OTEL_METRIC_EXPORT_INTERVAL: "1000"
        })
        const { logs, points, spans } = receiver
        const said = () => `${observer.stdout()}${observer.stderr()}`
        const from = (root: string) => {
          const byId = indexed(spans)
          const appends = spans.filter(({ name }) => name === "journal.append")
          return appends.some((span) => {
            const [, second, third] = lineage(byId, span)
            return second?.endsWith(" handles") === true && third === root
          })
        }
        yield* eventually(
          () => from("stream.frames"),
          () => `an append of frames; ${said()}`,
          () => hasEnded(observer)
        )
        yield* eventually(
          () => from("sweep.ask"),
          () => `an append of a sweep; ${said()}`,
          () => hasEnded(observer)
        )
        yield* eventually(
          () => spans.some(({ name }) => name === "sql.batch"),
          () => `a batch of SQL; ${said()}`,
          () => hasEnded(observer)
        )
        const missing = () => metricNames.filter((name) => !points.some((point) => point.name === name))
        yield* eventually(
          () => missing().length === 0,
          () => `metrics ${missing().join(", ")}; ${said()}`,
          () => hasEnded(observer)
        )
        assert.strictEqual(yield* observer.end, 0, said())

        const call = spans.find(
          ({ attributes, name }) => name === "kis.call" && attributes["tr_id"] === "FHKST11300006"
        )
        assert.deepInclude(call?.attributes, { account: "main", caller: "sweep", outcome: "answered" })
        assert.isNumber(call?.attributes["wait_ms"])
        assert.deepStrictEqual(
          call === undefined ? [] : lineage(indexed(spans), call).filter((name) => name !== "Quotations.multiPrice"),
          ["kis.call", "sweep.ask"]
        )
        const append = spans.findLast(({ name }) => name === "journal.append")
        const { first_seq, last_seq, records } = (append?.attributes ?? {}) as Record<string, number>
        assert.strictEqual(Number(last_seq) - Number(first_seq) + 1, records)
        assert.isTrue(
          spans.some(({ name }) => name === "journal.seal"),
          "what ends with the program is sent too"
        )
        assert.isTrue(
          logs.some(({ body }) => body === "stopped: everything is stored"),
          said()
        )
        const resources = new Set([...spans, ...points, ...logs].map(({ resource }) => JSON.stringify(resource)))
        assert.strictEqual(resources.size, 1)
        const [resource = ""] = resources
        assert.deepInclude(JSON.parse(resource), { "service.name": "observer", "deployment.environment": "test" })

        const issued = witness.answers.flatMap((text) => {
          const [, secret] = /"(?:access_token|approval_key)":"([^"]+)"/.exec(text) ?? []
          return secret === undefined ? [] : [secret]
        })
        assert.isAtLeast(issued.length, 2, "a token and an approval key")
        for (const secret of [...Object.values(planted), "planted-otlp-key-0123456789", ...issued]) {
          for (const { body, path } of receiver.requests) assert.notInclude(body.toString("latin1"), secret, path)
        }
        for (const { headers, path } of witness.seen) {
          assert.deepStrictEqual(
            Object.keys(headers).filter((name) => /^(b3|x-b3|trace|baggage)/.test(name)),
            [],
            path
          )
        }
        assert.isAbove(modules().length, 0, "the spy sees what is loaded")

        const { cli } = yield* Programs
        const replay = yield* startChild([cli, "replay"], folder, {})
        yield* eventually(() => hasEnded(replay), replay.stdout)
        assert.strictEqual(replay.process.exitCode, 0, replay.stdout() + replay.stderr())
        const [replayed] = spans.filter(({ name }) => name === "replay.run")
        assert.isAbove(Number(replayed?.attributes["present"]), 0)
        const batch = spans.find(({ name }) => name === "replay.batch")
        assert.deepStrictEqual(batch && lineage(indexed(spans), batch), ["replay.batch", "replay.run"])

        const lines = readFileSync(join(folder, "var/log/observer.log"), "utf8").trim().split("\n")
        const kept = new Map(spans.map(({ spanId, traceId }) => [spanId, traceId]))
        const traced = lines
          .map((line) => JSON.parse(line) as Record<string, string>)
          .filter(({ span }) => span !== undefined)
        for (const { span = "", trace } of traced) assert.strictEqual(kept.get(span), trace)
      }),
    180_000
  )

  it.effect(
    "loads nothing of OpenTelemetry when nothing is to be sent",
    () =>
      Effect.gen(function* () {
        const { modules, observer } = yield* observing({ OTEL_SERVICE_NAME: "unused" })
        yield* eventually(
          () => observer.stdout().includes("the observer runs"),
          observer.stderr,
          () => hasEnded(observer)
        )
        assert.strictEqual(yield* observer.end, 0, observer.stderr())
        assert.deepStrictEqual(modules(), [])
      }),
    180_000
  )

  it.effect(
    "does not start with a setting that will not do, and says what would",
    () =>
      Effect.gen(function* () {
        const { main } = yield* Programs
        const folder = yield* scratchFolder
        const observer = yield* startChild([main], folder, { OTEL_TRACES_EXPORTER: "jaeger" })
        yield* eventually(() => hasEnded(observer), observer.stdout)
        assert.strictEqual(observer.process.exitCode, 64)
        assert.include(observer.stderr(), `OTEL_TRACES_EXPORTER is "jaeger"; allowed: otlp or none`)
      }),
    180_000
  )
})
