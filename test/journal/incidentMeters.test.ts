import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import { meterIncidents } from "../../src/journal/incidentMeters.ts"

const at = Date.parse("2026-11-24T00:00:00Z")
const utc = (seconds: number) => new Date(at + seconds * 1_000).toISOString()

const reject = (reason: string): RecordDraft => ({
  kind: "reject",
  receivedAtMs: at,
  source: "kis-ws",
  payload: { reason, raw: "x" }
})
const gap = (from: number, to: number, more: Record<string, unknown> = {}): RecordDraft => ({
  kind: "gap",
  receivedAtMs: at,
  source: "observer",
  payload: { from: utc(from), to: utc(to), cause: "silence", ...more }
})

const sums = Effect.map(Metric.snapshot, (all) =>
  Object.fromEntries(
    all.flatMap(({ attributes, id, state, type }) =>
      type === "Counter" && /^observer_(rejects|gap_seconds)_total$/.test(id)
        ? [
            [
              Object.values(attributes ?? {})
                .sort()
                .join(" "),
              Number((state as { count: number }).count)
            ]
          ]
        : []
    )
  )
)

describe("what a write puts on record", () => {
  it.effect("is counted by reason where it is a refusal, and by its seconds where it is a hole that is over", () =>
    Effect.gen(function* () {
      const services = yield* Effect.context<never>()
      const quote: RecordDraft = { kind: "quote", receivedAtMs: at, source: "kis-rest", payload: {} }
      meterIncidents([quote, reject("zeroPrice"), reject("zeroPrice"), reject("poison")], services)
      // The same hole is told open, then whole, then filled; another one says nothing of a time.
      meterIncidents([gap(0, 60, { open: true }), gap(0, 90), gap(0, 90, { repairedBy: "x" }), gap(5, 5)], services)
      assert.deepStrictEqual(yield* sums, { "kis-ws zeroPrice": 2, "kis-ws poison": 1, silence: 90 })
    })
  )
})
