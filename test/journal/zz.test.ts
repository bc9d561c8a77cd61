import { it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { TestClock } from "effect/testing"
it.effect("x", () => Effect.gen(function* () {
  let tries = 0
  const backOff = Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("30 seconds")]).pipe(Schedule.jittered)
  yield* Effect.forkChild(Effect.sync(() => { tries++ }).pipe(Effect.andThen(Effect.fail("x")), Effect.retry(backOff)))
  yield* TestClock.adjust("20 hours")
  console.log("TRIES", tries)
}))
