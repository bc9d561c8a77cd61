import { Effect } from "effect"
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

/** A folder of the test's own, gone with its scope. */
export const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "observer-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)
