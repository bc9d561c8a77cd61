import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { keepSecret } from "../../src/domain/Secrets.ts"
import * as Server from "../../src/http/Server.ts"
import { Health, type HealthReport } from "../../src/ops/Health.ts"
import { troubledReport as report } from "../support/healthReport.ts"

const serving = (given: Partial<HealthReport> = {}, token?: Redacted.Redacted) =>
  Server.layer({ host: "127.0.0.1", port: 0, token }).pipe(
    Layer.provide(Layer.succeed(Health, { report: Effect.succeed({ ...report, ...given }) })),
    Layer.merge(NodeHttpClient.layerUndici)
  )

const get = Effect.fnUntraced(function* (path: string, token?: string) {
  const { url } = yield* Server.ServerAddress
  const request = HttpClientRequest.get(url + path)
  const client = yield* HttpClient.HttpClient
  const response = yield* client.execute(token === undefined ? request : HttpClientRequest.bearerToken(request, token))
  return { status: response.status, headers: response.headers, text: yield* response.text }
})

describe("health over HTTP", () => {
  it.live("a dead database is degraded and still ready", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* get("/livez"), { status: 200, text: "ok\n" })
      assert.deepInclude(yield* get("/readyz"), { status: 200, text: "ready\n" })
    }).pipe(Effect.provide(serving()))
  )

  it.live("a journal that cannot be written is unready, and the answer says why", () =>
    Effect.gen(function* () {
      const { status, text } = yield* get("/readyz")
      assert.strictEqual(status, 503)
      assert.include(text, "journal: write x: ENOSPC")
    }).pipe(
      Effect.provide(
        serving({ ready: false, parts: { ...report.parts, journal: { status: "down", reason: "write x: ENOSPC" } } })
      )
    )
  )

  it.live("/health is the report as JSON, never cached and never sniffed", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* get("/health")
      assert.deepStrictEqual(JSON.parse(text), JSON.parse(JSON.stringify(report)))
      assert.strictEqual(headers["cache-control"], "no-store")
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
    }).pipe(Effect.provide(serving()))
  )

  it.live("names of fields and metrics stay though they are somebody's password", () => {
    const reason = 'no password for observer: "user observer"'
    const parts = { ...report.parts, journal: { status: "down", reason } } as const
    return Effect.gen(function* () {
      const names = (text: string) => text.replace(/"[^"]*"(?!:)|(?<= )[-+\d.e]+$/gm, "")
      const before = { health: (yield* get("/health")).text, metrics: (yield* get("/metrics")).text }
      keepSecret(Redacted.make("postgres://observer:observer@db.example/x"))
      keepSecret(Redacted.make("postgres://observer:journal@db.example/x"))
      const health = (yield* get("/health")).text
      const told = JSON.parse(health) as HealthReport
      assert.strictEqual(told.parts.journal.reason, 'no password for <redacted>: "user <redacted>"')
      assert.deepStrictEqual(Object.keys(told), Object.keys(JSON.parse(before.health) as object))
      const { text } = yield* get("/metrics")
      assert.include(text, "observer_")
      assert.strictEqual(names(text), names(before.metrics))
    }).pipe(Effect.provide(serving({ parts })))
  })

  it.live("a path that is not there is 404", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/admin")).status, 404)
    }).pipe(Effect.provide(serving()))
  )
})

describe("/metrics", () => {
  it.live("shows what was received of each source, what became of it, and what is amiss, each once", () =>
    Effect.gen(function* () {
      const about = (text: string) =>
        text
          .split("\n")
          .filter((line) => line.includes('source="kis-ws"'))
          .sort()
      yield* get("/metrics")
      assert.deepStrictEqual(about((yield* get("/metrics")).text), [
        'observer_conservation_remainder_records{source="kis-ws"} -1',
        'observer_records_deduplicated_total{source="kis-ws"} 2',
        'observer_records_in_flight_count{source="kis-ws"} 3',
        'observer_records_received_total{source="kis-ws"} 12',
        'observer_records_rejected_total{source="kis-ws"} 1',
        'observer_records_stored_total{source="kis-ws"} 7'
      ])
    }).pipe(
      Effect.provide(
        serving({
          conservation: {
            "kis-ws": { received: 12, stored: 7, rejected: 1, deduplicated: 2, inFlight: 3, remainder: -1 }
          }
        })
      )
    )
  )

  it.live("is Prometheus text whose every name is ours, has a type, and no label names a symbol", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* get("/metrics")
      assert.include(headers["content-type"], "text/plain; version=0.0.4")
      const lines = text.trimEnd().split("\n")
      const typed = new Set(lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line)?.[1] ?? []))
      for (const line of lines.filter((each) => !each.startsWith("#"))) {
        const [, name, labels = ""] = /^([a-z_]+)(\{.*\})? [-+.e\d]+$/.exec(line) ?? []
        assert.isDefined(name, line)
        assert.match(name ?? "", /^observer_/)
        assert.isTrue(typed.has(name ?? ""), `${line} has no TYPE`)
        assert.notInclude(labels, "symbol=")
      }
      assert.include(lines, 'observer_follower_lag_records{follower="sql"} 2')
      assert.include(lines, "observer_journal_head_seq 42")
      assert.include(lines, 'observer_actor_mailbox_depth{actor="shard/0"} 5')
    }).pipe(Effect.provide(serving()))
  )

  it.live("totals do not grow by being asked for", () =>
    Effect.gen(function* () {
      const calls = (text: string) => /^observer_calls_total\{.*\} (\d+)$/m.exec(text)?.[1]
      const first = calls((yield* get("/metrics")).text)
      assert.strictEqual(calls((yield* get("/metrics")).text), first)
      assert.strictEqual(first, "100")
    }).pipe(Effect.provide(serving()))
  )
})

describe("the token", () => {
  const token = Redacted.make("a-token-of-sixteen")

  it.live("is asked of everything but the probes", () =>
    Effect.gen(function* () {
      for (const path of ["/health", "/metrics", "/nowhere"]) {
        assert.strictEqual((yield* get(path)).status, 401, path)
        assert.strictEqual((yield* get(path, "another-token")).status, 401, path)
      }
      assert.strictEqual((yield* get("/health", "a-token-of-sixteen")).status, 200)
      assert.strictEqual((yield* get("/livez")).status, 200)
      assert.strictEqual((yield* get("/readyz")).status, 200)
    }).pipe(Effect.provide(serving({}, token)))
  )

  it.live("keeps from those who have none why a part is not ready", () =>
    Effect.gen(function* () {
      for (const given of [undefined, "a-token-of-sixteen"]) {
        const { status, text } = yield* get("/readyz", given)
        assert.deepStrictEqual([status, text], [503, "not ready\njournal\nsql\n"])
      }
    }).pipe(
      Effect.provide(
        serving(
          { ready: false, parts: { ...report.parts, journal: { status: "down", reason: "write /srv/x: ENOSPC" } } },
          token
        )
      )
    )
  )

  it.live("is not echoed by a refusal", () =>
    Effect.gen(function* () {
      assert.notInclude(JSON.stringify(yield* get("/health", "wrong")), "a-token-of-sixteen")
    }).pipe(Effect.provide(serving({}, token)))
  )
})

describe("the port", () => {
  it.live("that another program has is named, with what to do", () =>
    Effect.gen(function* () {
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = taken.address() as AddressInfo
      const layer = Server.layer({ host: "127.0.0.1", port, token: undefined }).pipe(
        Layer.provide(Layer.succeed(Health, { report: Effect.succeed(report) }))
      )
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(error._tag, "HttpUnavailable")
      assert.match(error.message, new RegExp(`OBSERVER_HTTP_PORT is ${port}: .*EADDRINUSE.*name a free port`))
    })
  )
})
