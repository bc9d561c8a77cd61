import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Schema } from "effect"
import { Conservation, inFlight } from "../../src/journal/Conservation.ts"

const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))
const Step = Schema.Struct({
  source: Schema.Literals(["kis-ws", "kis-rest", "backfill"]),
  stored: Amount,
  rejected: Amount,
  deduplicated: Amount
})

describe("conservation", () => {
  it.effect.prop(
    "counts by source what was received and what became of it, with nothing left at rest",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const conservation = yield* Conservation
        for (const { deduplicated, rejected, source, stored } of steps) {
          const received = stored + rejected + deduplicated
          yield* conservation.add(source, { received })
          const before = (yield* conservation.tallies).get(source)
          assert.strictEqual(before && inFlight(before), received)
          yield* conservation.add(source, { stored, rejected })
          yield* conservation.add(source, { deduplicated })
        }
        const tallies = yield* conservation.tallies
        for (const [source, tally] of tallies) {
          const own = steps.filter((step) => step.source === source)
          const sum = (name: "stored" | "rejected" | "deduplicated") =>
            own.reduce((total, step) => total + step[name], 0)
          const [stored, rejected, deduplicated] = [sum("stored"), sum("rejected"), sum("deduplicated")]
          assert.deepStrictEqual(tally, { received: stored + rejected + deduplicated, stored, rejected, deduplicated })
          assert.strictEqual(inFlight(tally), 0)
        }
        assert.deepStrictEqual([...tallies.keys()].sort(), [...new Set(steps.map(({ source }) => source))].sort())
      }).pipe(Effect.provide(Conservation.layer)),
    { arbitrary: { runs: 50 } }
  )

  it.effect("gives tallies that later counts do not change", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      yield* conservation.add("kis-ws", { received: 1 })
      const before = yield* conservation.tallies
      yield* conservation.add("kis-ws", { received: 1 })
      assert.strictEqual(before.get("kis-ws")?.received, 1)
    }).pipe(Effect.provide(Conservation.layer))
  )

  it.effect("is published, by source", () =>
    Effect.gen(function* () {
      const conservation = yield* Conservation
      yield* conservation.add("backfill", { received: 7, stored: 4, rejected: 2 })
      const published = (yield* Metric.snapshot)
        .filter(({ attributes }) => attributes?.["source"] === "backfill")
        .map(({ id, state }) => [id, "count" in state ? Number(state.count) : undefined])
      assert.deepStrictEqual(published.sort(), [
        ["observer_records_received_total", 7],
        ["observer_records_rejected_total", 2],
        ["observer_records_stored_total", 4]
      ])
    }).pipe(Effect.provide(Conservation.layer), Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})
