import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Metric } from "effect"
import { TestClock } from "effect/testing"
import { DiskError } from "../../src/journal/Disk.ts"
import { Outage } from "../../src/journal/journalWriter/Outage.ts"

const full = (left_mb: number, code = "full") =>
  new DiskError({ operation: "append to", path: "/data", code, advice: `${left_mb} MB are left` })

/** Says of an effect how many errors it logs. */
const errorsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let errors = 0
    const counting = Logger.make(({ logLevel }) => void (errors += logLevel === "Error" ? 1 : 0))
    return Effect.map(Effect.provide(effect, Logger.layer([counting])), () => errors)
  })

const gapsCounted = Effect.map(
  Metric.snapshot,
  (all) => all.find(({ id }) => id === "observer_gaps_total")?.state as { readonly count: number } | undefined
)

describe("an outage", () => {
  it.effect("is said once for each cause, though the amounts in its words change, which are always the newest", () =>
    Effect.gen(function* () {
      const outage = new Outage()
      const errors = yield* errorsOf(
        Effect.gen(function* () {
          for (let left_mb = 90; left_mb > 60; left_mb--) yield* outage.hold("room", full(left_mb))
          assert.include(outage.reason, "61 MB")
          yield* outage.hold("room", full(60, "readOnly"))
        })
      )
      assert.strictEqual(errors, 2)
    })
  )

  it.effect("that begins again before it was told is one, and counted once", () =>
    Effect.gen(function* () {
      const outage = new Outage()
      yield* TestClock.setTime(1_000)
      for (let turn = 0; turn < 3; turn++) {
        yield* outage.hold("room", full(1))
        yield* TestClock.adjust("1 second")
        yield* outage.hold("room", undefined)
        yield* outage.hold("room", undefined)
      }
      assert.strictEqual((yield* gapsCounted)?.count, 1)
      assert.include(outage.untold(9_000)?.payload, {
        from: "1970-01-01T00:00:01.000Z",
        to: "1970-01-01T00:00:04.000Z"
      })
      outage.told()
      yield* outage.hold("room", full(1))
      yield* outage.hold("room", undefined)
      assert.strictEqual((yield* gapsCounted)?.count, 2)
    })
  )
})
