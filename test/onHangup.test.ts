import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { hearHangups, NextHangup, onHangup } from "../src/onHangup.ts"
import { DayUniverse } from "../src/plan/DayUniverse.ts"
import { noChange } from "../src/plan/UniverseDiff.ts"
import { until } from "./support/virtualTime.ts"

const hangUp = () => process.kill(process.pid, "SIGHUP")

/** Hears as the program does, which never stops listening; the test does. */
const heard = Effect.gen(function* () {
  const before = new Set(process.listeners("SIGHUP"))
  const next = yield* hearHangups
  const [ours, ...more] = process.listeners("SIGHUP").filter((each) => !before.has(each))
  assert.deepStrictEqual(more, [])
  yield* Effect.addFinalizer(() => Effect.sync(() => ours && process.off("SIGHUP", ours)))
  return { next, isHearing: () => ours !== undefined && process.listeners("SIGHUP").includes(ours) }
})

describe.skipIf(process.platform === "win32")("a hang-up signal", () => {
  it.effect("ends no process, whether somebody waits for it or not, and is kept for who comes next", () =>
    Effect.gen(function* () {
      const { isHearing, next } = yield* heard
      let reloads = 0
      const reload = Effect.sync(() => {
        reloads += 1
        return noChange
      })
      const context = yield* Layer.build(Layer.mock(DayUniverse, { reload }))
      const run = Effect.provideService(onHangup(Context.get(context, DayUniverse)), NextHangup, next)
      // Before the actor runs.
      hangUp()
      const first = yield* Effect.forkChild(run)
      yield* until(() => reloads === 1)
      hangUp()
      yield* until(() => reloads === 2)
      yield* Fiber.interrupt(first)
      // Between its runs, and while the program drains.
      assert.isTrue(isHearing())
      hangUp()
      yield* Effect.forkChild(run)
      yield* until(() => reloads === 3)
    })
  )
})
