import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { settled } from "../journal/fixtures.ts"
import { makePolled } from "../../src/actor/Polled.ts"

/** A question that is answered when the test says so. */
const opened = Effect.gen(function* () {
  const questions: Array<Deferred.Deferred<string, string>> = []
  const ask = Effect.suspend(() => {
    const question = Deferred.makeUnsafe<string, string>()
    questions.push(question)
    return Deferred.await(question)
  })
  const polled = yield* makePolled({ ask, initial: "nothing", fresh_ms: 30_000, patience_ms: 2_000 })
  const last = Effect.suspend(() => Effect.fromNullishOr(questions.at(-1)))
  const answer = (text: string) =>
    Effect.andThen(
      Effect.flatMap(last, (question) => Deferred.succeed(question, text)),
      settled
    )
  const refuse = Effect.flatMap(last, (question) => Deferred.fail(question, "refused"))
  return { ...polled, questions, answer, refuse }
})

describe("a question that is asked again and again", () => {
  it.effect("is on its way once, however many want to know and however long it hangs", () =>
    Effect.gen(function* () {
      const { answer, newest, questions } = yield* opened
      const askers = yield* Effect.forkChild(Effect.all([newest, newest, newest], { concurrency: "unbounded" }))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(askers), ["nothing", "nothing", "nothing"])
      for (let hours = 0; hours < 3; hours++) {
        yield* TestClock.adjust("1 hour")
        // Nobody turns the clock: who waited would wait for ever.
        assert.strictEqual(yield* newest, "nothing")
      }
      assert.strictEqual(questions.length, 1)
      yield* answer("late")
      const again = yield* Effect.forkChild(newest)
      yield* settled
      assert.strictEqual(questions.length, 2)
      yield* answer("new")
      assert.strictEqual(yield* Fiber.join(again), "new")
    })
  )

  it.effect("is asked anew when its answer is old, and leaves the answer before where it fails", () =>
    Effect.gen(function* () {
      const { answer, newest, outdate, questions, refuse } = yield* opened
      const first = yield* Effect.forkChild(newest)
      yield* settled
      yield* answer("first")
      assert.strictEqual(yield* Fiber.join(first), "first")
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* newest, "first")
      assert.strictEqual(questions.length, 1)
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(newest)
      yield* settled
      yield* refuse
      assert.strictEqual(yield* Fiber.join(second), "first")
      yield* outdate
      const third = yield* Effect.forkChild(newest)
      yield* settled
      yield* outdate
      yield* answer("outdated")
      assert.strictEqual(yield* Fiber.join(third), "outdated")
      yield* Effect.forkChild(newest)
      yield* settled
      assert.strictEqual(questions.length, 4)
    })
  )
})
