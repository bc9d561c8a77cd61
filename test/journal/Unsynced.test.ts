import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Unsynced } from "../../src/journal/journalWriter/Unsynced.ts"

/** What happens to a writer: a record is written, a sync begins, the one that was begun succeeds, a seal makes all durable. */
const Step = Schema.Literals(["wrote", "begun", "synced", "clear"])

describe("the age of what is not synced", () => {
  it.effect.prop(
    "is that of the oldest record that the last good sync did not cover",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.sync(() => {
        const unsynced = new Unsynced()
        /** Every record by its time, and how many of them the sync under way covers. */
        let pending: ReadonlyArray<number> = []
        let covered = 0
        for (const [atMs, step] of steps.entries()) {
          if (step === "wrote") {
            unsynced.wrote(atMs)
            pending = [...pending, atMs]
          } else if (step === "begun") {
            unsynced.begun()
            covered = pending.length
          } else if (step === "synced") {
            unsynced.synced()
            pending = pending.slice(covered)
            covered = 0
          } else {
            unsynced.clear()
            pending = []
            covered = 0
          }
          assert.strictEqual(unsynced.oldestAtMs, pending[0])
        }
      })
  )
})
