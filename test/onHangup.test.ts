import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { hangups } from "../src/onHangup.ts"
import { until } from "./support/virtualTime.ts"

describe.skipIf(process.platform === "win32")("a hang-up signal", () => {
  it.effect("is heard while somebody listens, as often as it comes, and no longer", () =>
    Effect.gen(function* () {
      const before = process.listenerCount("SIGHUP")
      let heard = 0
      const fiber = yield* Effect.forkChild(Stream.runForEach(hangups, () => Effect.sync(() => (heard += 1))))
      yield* until(() => process.listenerCount("SIGHUP") === before + 1)
      process.kill(process.pid, "SIGHUP")
      yield* until(() => heard === 1)
      process.kill(process.pid, "SIGHUP")
      yield* until(() => heard === 2)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(process.listenerCount("SIGHUP"), before)
    })
  )
})
