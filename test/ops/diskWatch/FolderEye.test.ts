import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { FolderEye } from "../../../src/ops/diskWatch/FolderEye.ts"
import { judgeLook, type Known } from "../../../src/ops/diskWatch/judgeLook.ts"
import { isBelowStop, limitsFor } from "../../../src/ops/diskWatch/Limits.ts"
import type { Look } from "../../../src/ops/diskWatch/lookAt.ts"

const gb = 1e9
const seen: Extract<Look, { _tag: "Seen" }> = {
  _tag: "Seen",
  device: 7,
  parentDevice: 1,
  key: "7:2:0",
  free_bytes: 500 * gb,
  total_bytes: 1_000 * gb
}
const limits = { low_bytes: gb, stop_bytes: 0.1 * gb }
const nobodyElse = () => false

/** A folder on a file system whose calls come back when the test says so. */
const slowEye = () => {
  const calls: Array<(look: Look) => void> = []
  const look = () => new Promise<Look>((resolve) => void calls.push(resolve))
  return { calls, eye: new FolderEye({ name: "data", path: "/data", limits }, 0, look) }
}

describe("a file system that hangs", () => {
  it.effect("is told of, is asked nothing more meanwhile, and is well again when the call comes back", () =>
    Effect.gen(function* () {
      const { calls, eye } = slowEye()
      const first = yield* Effect.forkChild(eye.see(true, nobodyElse))
      yield* TestClock.adjust(0)
      calls[0]?.(seen)
      yield* first.pipe((fiber) => Effect.repeat(Effect.yieldNow, { until: () => fiber.pollUnsafe() !== undefined }))
      assert.strictEqual(eye.status.state, "ok")

      const hung = yield* Effect.forkChild(eye.see(true, nobodyElse))
      yield* TestClock.adjust("2500 millis")
      yield* Effect.repeat(Effect.yieldNow, { until: () => hung.pollUnsafe() !== undefined })
      assert.strictEqual(eye.status.state, "unreadable")
      for (let look = 0; look < 100; look++) {
        yield* TestClock.adjust("2 seconds")
        yield* eye.see(true, nobodyElse)
      }
      assert.strictEqual(calls.length, 2)
      assert.strictEqual(eye.hungDevice, 7)
      assert.include(eye.status.reason, "has not answered for 202 s")
      assert.strictEqual(eye.status.sinceMs, 2_500)

      calls[1]?.(seen)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* eye.see(true, nobodyElse)
      assert.strictEqual(eye.status.state, "ok")
      assert.isUndefined(eye.hungDevice)
    })
  )

  it.effect("holds up one call of all the folders that lie on it", () =>
    Effect.gen(function* () {
      const { calls, eye } = slowEye()
      const first = yield* Effect.forkChild(eye.see(false, nobodyElse))
      yield* TestClock.adjust(0)
      calls[0]?.(seen)
      yield* Effect.repeat(Effect.yieldNow, { until: () => first.pollUnsafe() !== undefined })
      yield* eye.see(false, (device) => device === 7)
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(eye.status.state, "unreadable")
    })
  )
})

describe("what a look means", () => {
  const known: Known = { name: "data", state: "ok", wasMount: true, isReplaced: false, limits }
  const table: ReadonlyArray<readonly [string, Look, Partial<Known>, string, RegExp | undefined]> = [
    ["room enough", seen, {}, "ok", undefined],
    ["less than low", { ...seen, free_bytes: 0.9 * gb }, {}, "low", /OBSERVER_DISK_LOW_MB/],
    ["less than the stop", { ...seen, free_bytes: 0.09 * gb }, {}, "full", /OBSERVER_DISK_STOP_MB/],
    ["so little for logs", { ...seen, free_bytes: 0.09 * gb }, { name: "log" }, "low", /log folder/],
    ["a little more than the stop, after it", { ...seen, free_bytes: 0.11 * gb }, { state: "full" }, "full", undefined],
    ["no space", { ...seen, refusal: "ENOSPC" }, {}, "full", /free some/],
    ["no quota", { ...seen, refusal: "EDQUOT" }, {}, "full", /quota/],
    ["a read-only mount", { ...seen, refusal: "EROFS" }, {}, "readOnly", /mount it writable/],
    ["no rights", { ...seen, refusal: "EACCES" }, {}, "readOnly", /give the observer's user/],
    ["a broken disk", { ...seen, refusal: "EIO" }, {}, "unreadable", /disk errors/],
    ["a stale handle", { _tag: "Unreadable", code: "ESTALE" }, {}, "unreadable", /ESTALE/],
    ["nothing", { _tag: "Gone", code: "ENOENT", nearestDevice: 1 }, {}, "missing", /removed or unmounted/],
    ["the place of a mount", { ...seen, device: 1 }, {}, "missing", /was unmounted/],
    ["another folder", seen, { isReplaced: true }, "missing", /restore it from a backup/]
  ]
  for (const [what, look, more, state, reason] of table) {
    it(`of ${what} is ${state}`, () => {
      const judged = judgeLook(look, { ...known, ...more })
      assert.strictEqual(judged.state, state)
      if (reason !== undefined) assert.match(judged.reason ?? "", reason)
      assert.strictEqual(judged.reason === undefined, state === "ok")
    })
  }

  it("of a small disk goes by its own size, and of none is below a stop that is switched off", () => {
    assert.deepStrictEqual(limitsFor(limits, 0.16 * gb), { low_bytes: 0.04 * gb, stop_bytes: 0.01 * gb })
    assert.deepStrictEqual(limitsFor(limits, 100 * gb), limits)
    assert.isFalse(isBelowStop(0, { low_bytes: 0, stop_bytes: 0 }, true))
  })
})
