import { assert, describe, it } from "@effect/vitest"
import { type Context, Data, Effect, Exit, Fiber, Layer, Logger, Metric, Redacted, Result, Scope } from "effect"
import { inSpan } from "../../../src/actor/inSpan.ts"
import { Mailbox } from "../../../src/actor/Mailbox.ts"
import type { RecordDraft } from "../../../src/domain/JournalRecord.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { Journal } from "../../../src/journal/Journal.ts"
import { keepSecret, withoutSecrets } from "../../../src/domain/Secrets.ts"
import { Telemetry } from "../../../src/ops/Telemetry.ts"
import { readTelemetry } from "../../../src/ops/telemetry/TelemetrySettings.ts"
import { eventually } from "../../support/eventually.ts"
import { makeOtlpReceiver, type OtlpReceiver } from "../../support/otlpReceiver.ts"
import { scratchFolder } from "../../support/virtualTime.ts"

class Unreachable extends Data.TaggedError("Unreachable")<{ readonly message: string }> {}

const planted = "planted-secret-0123456789"

/** The variables that the SDK reads are the process's, where the program puts them; they are gone when the test is over. */
const freshVariables = Effect.addFinalizer(() =>
  Effect.sync(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith("OTEL_")) delete process.env[name]
  })
)

const soon = {
  OTEL_TRACES_SAMPLER: "always_on",
  OTEL_BSP_SCHEDULE_DELAY: "20",
  OTEL_BLRP_SCHEDULE_DELAY: "20",
  OTEL_METRIC_EXPORT_INTERVAL: "100"
}

const telemetryTo = (receiver: OtlpReceiver, variables: Record<string, string> = {}, flush_ms = 2_000) => {
  const read = Result.getOrThrow(readTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...soon, ...variables }))
  assert.isDefined(read.telemetry)
  const settings = read.telemetry as NonNullable<typeof read.telemetry>
  Object.assign(process.env, settings.variables)
  keepSecret(Redacted.make(planted))
  return Telemetry.layer({ settings, version: "1.2.3", node: "n1", scrub: withoutSecrets, flush_ms })
}

const itemsOf = (signal: string, result: string) =>
  Effect.map(Metric.snapshot, (all) => {
    const found = all.find(
      ({ attributes, id }) =>
        id === "observer_telemetry_items_total" && attributes?.["signal"] === signal && attributes["result"] === result
    )
    return found?.type === "Counter" ? Number(found.state.count) : 0
  })

/** The lines that are logged, for looking at. */
const heard = () => {
  const lines: Array<string> = []
  const layer = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
  return { lines, layer }
}

const draft = (price: number): RecordDraft => ({
  kind: "quote",
  symbol: "005930",
  receivedAtMs: 1_700_000_000_000,
  source: "kis-rest",
  account: "main",
  price,
  payload: { price: String(price) }
})

describe("telemetry", () => {
  it.live("carries a trace over a mailbox into the append, and links the others that one append serves", () =>
    Effect.gen(function* () {
      yield* freshVariables
      const receiver = yield* makeOtlpReceiver
      const dataDir = yield* scratchFolder
      const options = { dataDir, node: "n1", segment_bytes: 1_000_000, fsync_ms: 50 }
      const journal = Journal.layer(options).pipe(Layer.provide(Disk.layer))
      yield* Effect.gen(function* () {
        const { append, close, run } = yield* Journal
        const mailbox = yield* Mailbox.make<RecordDraft>({ actor: "shard/0", capacity: 10 })
        const handling = {
          handle: (drafts: ReadonlyArray<RecordDraft>) => Effect.asVoid(append(drafts)),
          onPoison: Effect.die,
          batch_max: 10
        }
        yield* inSpan(mailbox.offer(draft(1)), "stream.frames", { attributes: { frames: 1 } })
        yield* inSpan(mailbox.offer(draft(2)), "sweep.ask")
        yield* mailbox.end
        const writing = yield* Effect.forkChild(run)
        yield* mailbox.consume(handling)
        yield* close
        yield* Fiber.join(writing)
      }).pipe(Effect.provide(Layer.provideMerge(journal, telemetryTo(receiver))))

      const named = (name: string) => {
        const [span, ...more] = receiver.spans.filter((each) => each.name === name)
        assert.deepStrictEqual(more, [], `one span ${name}`)
        assert.isDefined(span, `a span ${name}`)
        return span as NonNullable<typeof span>
      }
      const frames = named("stream.frames")
      const sweep = named("sweep.ask")
      const handled = named("shard/0 handles")
      const append = named("journal.append")
      assert.strictEqual(frames.parentSpanId, "")
      assert.notStrictEqual(frames.traceId, sweep.traceId)
      assert.strictEqual(handled.parentSpanId, frames.spanId)
      assert.deepStrictEqual(handled.links, [{ traceId: sweep.traceId, spanId: sweep.spanId }])
      assert.strictEqual(append.parentSpanId, handled.spanId)
      assert.deepStrictEqual(new Set([frames, handled, append].map(({ traceId }) => traceId)).size, 1)
      const { bytes, ...seqs } = append.attributes
      assert.deepStrictEqual(seqs, { appends: 1, first_seq: 1, last_seq: 2, records: 2 })
      assert.isAbove(Number(bytes), 100)
      assert.strictEqual(named("journal.seal").attributes["last_seq"], 2)
      assert.deepInclude(append.resource, {
        "service.name": "observer",
        "service.version": "1.2.3",
        "service.instance.id": "n1"
      })
    })
  )

  it.live(
    "keeps nothing of frequent traces at a share of 0, on either side of a mailbox, and all of the rare ones",
    () =>
      Effect.gen(function* () {
        yield* freshVariables
        const receiver = yield* makeOtlpReceiver
        yield* Effect.gen(function* () {
          const mailbox = yield* Mailbox.make<number>({ actor: "shard/0", capacity: 10 })
          const inner = inSpan(Effect.void, "inner")
          yield* inSpan(Effect.andThen(mailbox.offer(1), inner), "sweep.ask")
          yield* mailbox.end
          yield* mailbox.consume({ handle: () => inner, onPoison: Effect.die })
          yield* inSpan(inner, "journal.seal")
        }).pipe(Effect.provide(telemetryTo(receiver, { OTEL_TRACES_SAMPLER: "", OTEL_TRACES_SAMPLER_ARG: "0" })))
        const names = receiver.spans.map(({ name }) => name)
        assert.sameMembers(names, ["inner", "journal.seal"])
      })
  )

  it.live("sends log lines with the trace they belong to, and no secret in lines, spans or their events", () =>
    Effect.gen(function* () {
      yield* freshVariables
      const receiver = yield* makeOtlpReceiver
      const failing = Effect.andThen(
        Effect.logWarning(`a library quoted ${planted}`, { of: planted, tries: 3 }),
        Effect.fail(new Unreachable({ message: `cannot reach https://host/?key=${planted}` }))
      )
      yield* Effect.exit(inSpan(failing, "replay.run", { attributes: { url: `https://host/${planted}` } })).pipe(
        Effect.andThen(Effect.logError("outside")),
        Effect.provide(Layer.provideMerge(telemetryTo(receiver), Logger.layer([Logger.tracerLogger])))
      )
      const [span] = receiver.spans
      const [line, outside] = receiver.logs
      assert.deepInclude(line, {
        severity: "WARN",
        body: "a library quoted <redacted>",
        traceId: span?.traceId ?? "no span",
        spanId: span?.spanId ?? "no span"
      })
      assert.deepInclude(line?.attributes, { of: "<redacted>", tries: 3 })
      assert.deepInclude(outside, { severity: "ERROR", body: "outside", traceId: "", spanId: "" })
      assert.strictEqual(span?.status.code, 2)
      assert.include(span?.status.message, "<redacted>")
      assert.isNotEmpty(span?.events)
      for (const { body, path } of receiver.requests) assert.notInclude(body.toString("latin1"), planted, path)
    })
  )

  it.live("brings the metrics up to date before each is sent, under the names of /metrics", () =>
    Effect.gen(function* () {
      yield* freshVariables
      const receiver = yield* makeOtlpReceiver
      let asked = 0
      const gauge = Metric.gauge("observer_test_refreshed_count")
      yield* Effect.gen(function* () {
        const { refreshBy } = yield* Telemetry
        yield* refreshBy(Effect.suspend(() => Metric.update(gauge, ++asked)))
        yield* eventually(
          () => receiver.points.filter(({ name }) => name === "observer_test_refreshed_count").length >= 2,
          () => "two exports"
        )
      }).pipe(Effect.provide(telemetryTo(receiver)))
      const [first, second] = receiver.points.filter(({ name }) => name === "observer_test_refreshed_count")
      assert.deepInclude(first, { type: "gauge", unit: "", value: 1 })
      assert.deepInclude(second, { value: 2 })
      const sum = receiver.points.find(({ name }) => name === "observer_telemetry_items_total")
      assert.deepInclude(sum, { type: "sum", isMonotonic: true })
    })
  )

  it.live("obeys the headers and the compression that are asked for", () =>
    Effect.gen(function* () {
      yield* freshVariables
      const receiver = yield* makeOtlpReceiver
      const variables = { OTEL_EXPORTER_OTLP_HEADERS: "x-team=red%20one", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" }
      yield* inSpan(Effect.void, "replay.run").pipe(Effect.provide(telemetryTo(receiver, variables)))
      const [request] = receiver.requests.filter(({ path }) => path === "/v1/traces")
      assert.deepInclude(request?.headers, { "x-team": "red one", "content-encoding": "gzip" })
      assert.strictEqual(receiver.spans.length, 1)
    })
  )

  it.live(
    "a receiver that refuses costs what was sent, which is counted, and one line; and one when it takes again",
    () =>
      Effect.gen(function* () {
        yield* freshVariables
        const receiver = yield* makeOtlpReceiver
        receiver.be("refuses")
        const before = yield* itemsOf("traces", "failed")
        const sentBefore = yield* itemsOf("traces", "sent")
        const { layer, lines } = heard()
        const variables = { OTEL_LOGS_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }
        yield* Effect.gen(function* () {
          for (const expected of [1, 2]) {
            yield* inSpan(Effect.void, "replay.run")
            const failed = Effect.map(itemsOf("traces", "failed"), (count) => count - before)
            yield* eventually(
              Effect.map(failed, (count) => count >= expected),
              () => `${expected} that failed`
            )
            assert.strictEqual(yield* failed, expected)
          }
          assert.lengthOf(
            lines.filter((line) => line.includes("does not take")),
            1
          )
          receiver.be("takes")
          yield* inSpan(Effect.void, "replay.run")
          yield* eventually(
            () => receiver.spans.length === 1,
            () => "the span that was taken"
          )
          yield* eventually(
            () => lines.some((line) => line.includes("takes what is sent again")),
            () => "the line about it"
          )
        }).pipe(Effect.provide(Layer.provideMerge(telemetryTo(receiver, variables), layer)))
        assert.strictEqual((yield* itemsOf("traces", "sent")) - sentBefore, 1)
      })
  )

  it.live("a receiver that never answers holds up neither the work nor its end, and what waits for it is bounded", () =>
    Effect.gen(function* () {
      yield* freshVariables
      const receiver = yield* makeOtlpReceiver
      receiver.be("hangs")
      const before = yield* itemsOf("traces", "dropped")
      const variables = {
        OTEL_LOGS_EXPORTER: "none",
        OTEL_METRICS_EXPORTER: "none",
        OTEL_BSP_MAX_QUEUE_SIZE: "20",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10"
      }
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(telemetryTo(receiver, variables, 100), scope)
      yield* Effect.forEach(Array.from({ length: 1_000 }), () => inSpan(Effect.void, "replay.run"), {
        discard: true
      }).pipe(Effect.provideContext(context as Context.Context<never>))
      // Ten are on their way, twenty wait.
      assert.strictEqual((yield* itemsOf("traces", "dropped")) - before, 970)
      const closed = yield* Effect.timeoutOption(Scope.close(scope, Exit.void), "5 seconds")
      assert.strictEqual(closed._tag, "Some")
    })
  )
})
