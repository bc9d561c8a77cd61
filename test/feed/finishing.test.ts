import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { finishing } from "../../src/feed/finishing.ts"

describe("finishing", () => {
  it.effect("gives what the effect gives, its failures and defects too", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* finishing(Effect.succeed(7)), 7)
      assert.strictEqual(yield* Effect.flip(finishing(Effect.fail("no"))), "no")
      assert.isTrue(Exit.hasDies(yield* Effect.exit(finishing(Effect.die("crash")))))
    })
  )

  it.effect("lets what has begun come to its end before the interruption does", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const done: Array<string> = []
      const work = Effect.andThen(
        Deferred.await(gate),
        Effect.sync(() => done.push("first"))
      ).pipe(Effect.andThen(Effect.yieldNow), Effect.andThen(Effect.sync(() => done.push("second"))))
      const running = yield* Effect.forkChild(finishing(work))
      yield* TestClock.adjust(1)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(stopping.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(done, ["first", "second"])
    })
  )

  it.effect("gives up after two seconds what cannot come to its end", () =>
    Effect.gen(function* () {
      let interrupted = false
      const stuck = Effect.onInterrupt(Effect.never, () => Effect.sync(() => (interrupted = true)))
      const running = yield* Effect.forkChild(finishing(stuck))
      yield* TestClock.adjust(1)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(stopping.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stopping)
      assert.isTrue(interrupted)
    })
  )
})
