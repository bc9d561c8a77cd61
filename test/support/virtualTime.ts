import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mkdtempSync, rmSync } from "node:fs"

/** Lets real sockets and files have their turn. */
const realTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets virtual time pass in steps, and the real world beside it, until something has happened. */
export const passUntil = Effect.fnUntraced(function* (happened: () => boolean, step_ms = 10) {
  while (!happened()) {
    yield* TestClock.adjust(step_ms)
    yield* realTurn
  }
})

/** Waits in the real world alone, with the virtual clock standing still. */
export const until = Effect.fnUntraced(function* (happened: () => boolean) {
  while (!happened()) yield* realTurn
})

/** A status that can be looked at in a condition. */
export const looked =
  <A>(status: Effect.Effect<A>): (() => A) =>
  () =>
    Effect.runSync(status)

/** The virtual clock with a hand that can be moved back; what sleeps is not moved, as with a real one. */
export const movableClock = Effect.map(Clock.Clock, (clock) => {
  let back_ms = 0
  const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() - back_ms
  const moved: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe)
  })
  return { clock: moved, setBack: (by_ms: number) => void (back_ms += by_ms) }
})

/** A folder of the test's own, gone with its scope. */
export const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }))
)
