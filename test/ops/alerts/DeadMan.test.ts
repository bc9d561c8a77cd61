import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, Redacted } from "effect"
import { makeDeadMan, withheld } from "../../../src/ops/alerts/DeadMan.ts"
import type { HealthReport } from "../../../src/ops/Health.ts"
import { healthReport } from "../../support/healthReport.ts"
import { type Answer, messageServer } from "../../support/messageServer.ts"
import { looked, until } from "../../support/virtualTime.ts"
import { TestClock } from "effect/testing"

const stored = (records: number, told: Partial<HealthReport> = {}) =>
  healthReport({
    conservation: {
      "kis-rest": { received: records, stored: records, rejected: 0, deduplicated: 0, inFlight: 0, remainder: 0 },
      observer: { received: 99, stored: 99, rejected: 0, deduplicated: 0, inFlight: 0, remainder: 0 }
    },
    ...told
  })
const journal = (told: Partial<HealthReport["journal"]>) => ({ journal: { ...healthReport().journal, ...told } })
const data = { name: "data", path: "/data", sinceMs: 0 } as const

describe("a ping is withheld", () => {
  const open = (records: number, told?: Partial<HealthReport>) => withheld(stored(records, told), 100)
  const closed = (told?: Partial<HealthReport>) => withheld(stored(100, { phase: "closed", ...told }), 100)

  it("in an open market unless data was stored since the last one, and is synced", () => {
    assert.isUndefined(open(101))
    assert.strictEqual(open(100), "no data was stored since the last ping")
    assert.strictEqual(
      open(101, journal({ head: { seq: 43, file: "f", byteOffset: 2 } })),
      "what was stored is not synced"
    )
    assert.strictEqual(open(101, { phase: "preOpen" }), undefined)
    assert.strictEqual(open(100, { phase: "halt" }), "no data was stored since the last ping")
  })

  it("in a closed market unless everything is fit for the morning", () => {
    assert.isUndefined(closed())
    assert.isUndefined(closed({ parts: { ...healthReport().parts, sql: { status: "degraded" } } }))
    assert.strictEqual(
      closed({ parts: { ...healthReport().parts, accounts: { status: "down" } } }),
      "the broker refuses every account"
    )
    const state = { _tag: "parked", cause: "boom", untilMs: 0 } as const
    assert.strictEqual(
      closed({ actors: [{ name: "universe", state, sinceMs: 0, restarts: 0 }] }),
      "universe rests after too many failures"
    )
  })

  it("at any time when the journal cannot be written, or a folder cannot be used", () => {
    for (const judged of [closed, (told: Partial<HealthReport>) => open(101, told)]) {
      assert.strictEqual(judged(journal({ writable: false })), "the journal cannot be written")
      for (const state of ["full", "readOnly", "missing", "unreadable"] as const) {
        assert.strictEqual(judged({ disk: { folders: [{ ...data, state }] } }), `the data folder is ${state}`)
      }
      assert.isUndefined(judged({ disk: { folders: [{ ...data, state: "low" }] } }))
    }
  })
})

/** A dead man with a server, and a health that says what the test has it say. */
const stage = (answer?: (count: number) => Answer) =>
  Effect.gen(function* () {
    const { posted, url } = yield* messageServer((_request, count) => answer?.(count) ?? { status: 200 })
    const lines: Array<string> = []
    const scene = { report: stored(0) }
    const registry: typeof Metric.MetricRegistry.Service = new Map()
    const logger = Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
    const secret = `${url}/ping/0b3f8c1e-1111-2222-3333-444455556666`
    const context = yield* Layer.build(Layer.merge(NodeHttpClient.layerUndici, Logger.layer([logger])))
    yield* makeDeadMan(
      Redacted.make(secret),
      Effect.sync(() => scene.report)
    ).pipe(Effect.provideContext(context), Effect.provideService(Metric.MetricRegistry, registry), Effect.forkScoped)
    const counted = (result: string) =>
      looked(
        Effect.map(Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry), (all) => {
          const found = all.find(({ attributes }) => attributes?.["result"] === result)
          return found !== undefined && "count" in found.state ? Number(found.state.count) : 0
        })
      )
    /** So many have come back with this result; time must not pass before. */
    const came = (result: string, count: number) => {
      const now = counted(result)
      return until(() => now() >= count)
    }
    return { posted, lines, scene, came }
  })

describe("the dead-man ping", () => {
  it.effect("is sent once a minute while data comes, and on no mere timer", () =>
    Effect.gen(function* () {
      const { came, lines, posted, scene } = yield* stage()
      for (let minute = 1; minute <= 3; minute++) {
        scene.report = stored(minute)
        yield* TestClock.adjust("1 minute")
        yield* came("sent", minute)
      }
      assert.deepInclude(posted[0], { method: "GET", path: "/ping/0b3f8c1e-1111-2222-3333-444455556666" })
      yield* TestClock.adjust("10 minutes")
      yield* until(() => lines.length > 0)
      assert.strictEqual(posted.length, 3)
      assert.include(lines.join(), "no data was stored since the last ping")
      assert.strictEqual(lines.length, 1)
    })
  )

  it.effect(
    "is tried again at once and earned again by nothing but data; trouble is logged once, without the address",
    () =>
      Effect.gen(function* () {
        const { came, lines, posted, scene } = yield* stage((count) => ({ status: count <= 3 ? 503 : 200 }))
        scene.report = stored(1)
        yield* TestClock.adjust("1 minute")
        for (const tried of [1, 2]) {
          yield* came("retried", tried)
          yield* TestClock.adjust("3 seconds")
        }
        yield* came("failed", 1)
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], "answers 503")
        assert.notInclude(lines[0], "0b3f8c1e")
        // What was not told of is still to be told of.
        yield* TestClock.adjust("1 minute")
        yield* came("sent", 1)
        assert.include(lines[1], "the dead-man ping is sent")
        assert.strictEqual(posted.length, 4)
      })
  )

  it.effect("waits a moment for the disk, and is not sent when that does not sync", () =>
    Effect.gen(function* () {
      const { came, lines, posted, scene } = yield* stage()
      const ahead = journal({ head: { seq: 50, file: "f", byteOffset: 2 } })
      scene.report = stored(1, ahead)
      yield* TestClock.adjust("62 seconds")
      assert.isEmpty(posted)
      scene.report = stored(1, journal({ synced: { seq: 50, file: "f", byteOffset: 2 } }))
      yield* TestClock.adjust("1 second")
      yield* came("sent", 1)
      scene.report = stored(2, ahead)
      yield* TestClock.adjust("5 minutes")
      yield* until(() => lines.length > 0)
      assert.include(lines.join(), "what was stored is not synced")
      assert.strictEqual(posted.length, 1)
    })
  )
})
