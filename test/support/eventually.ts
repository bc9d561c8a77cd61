import { assert } from "@effect/vitest"
import { Effect, Schedule } from "effect"

/** Waits in real time until something in another process, or behind a socket, has come true; gives up after a minute, or when it is said to be in vain. */
export const eventually = (
  isTrue: Effect.Effect<boolean> | (() => boolean),
  what: () => string,
  isVain: () => boolean = () => false
): Effect.Effect<void> => {
  const looked = typeof isTrue === "function" ? Effect.sync(isTrue) : isTrue
  return looked.pipe(
    Effect.map((found) => found || isVain()),
    Effect.repeat({ until: (isOver) => isOver, schedule: Schedule.spaced("50 millis"), times: 1_200 }),
    Effect.andThen(looked),
    Effect.map((found) => assert.isTrue(found, what()))
  )
}
