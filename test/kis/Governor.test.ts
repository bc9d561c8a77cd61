import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Logger, Redacted, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { KisAccount } from "../../src/kis/Account.ts"
import { connectDistance_ms, connectsPerHour_max, type Governor, makeGovernor } from "../../src/kis/Governor.ts"
import { accountAt, leakIn } from "../support/accounts.ts"
import { scratchFolder, until } from "../support/virtualTime.ts"

const account = accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" })
const startMs = Date.UTC(2026, 9, 1)
const minute_ms = 60_000
const hour_ms = 60 * minute_ms
const burst = 8

const scene = Effect.andThen(TestClock.setTime(startMs), scratchFolder)

const looked =
  <A>(status: Effect.Effect<A>, clock: Clock.Clock): (() => A) =>
  () =>
    Effect.runSync(Effect.provideService(status, Clock.Clock, clock))

/** Lets files have their turn. */
const turns = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.promise(() => new Promise((done) => setImmediate(done))), {
    discard: true
  })

/** The governor says so before it waits. */
let waits = 0
const hearWaits = Layer.merge(
  Logger.layer([
    Logger.make(({ message }) => {
      if (/the stream (may not connect yet|waits a moment)/.test(String(message))) waits += 1
    })
  ]),
  Layer.succeed(References.MinimumLogLevel, "Debug")
)

/** Time stands still while files are at work, and jumps to the next allowed connect once the governor waits for it. */
const permitted = (governor: Governor) =>
  Effect.gen(function* () {
    let before = waits
    const fiber = yield* Effect.forkScoped(governor.permit)
    while (fiber.pollUnsafe() === undefined) {
      yield* until(() => waits > before || fiber.pollUnsafe() !== undefined)
      const heard = waits
      const { nextAtMs } = yield* governor.status
      if (heard > before && nextAtMs !== undefined) yield* TestClock.setTime(nextAtMs)
      before = heard
    }
    yield* Fiber.join(fiber)
    return yield* Clock.currentTimeMillis
  })

/** Whether a connect is allowed now, on the word of a run that looks at the disk alone. */
const allowedNow = (folder: string, of: KisAccount = account) =>
  Effect.gen(function* () {
    return (yield* (yield* makeGovernor(of, folder)).status).nextAtMs === undefined
  })

const recordIn = (folder: string) => {
  const names = readdirSync(folder)
  assert.strictEqual(names.length, 1, names.join(", "))
  return join(folder, names[0] ?? "")
}

const mostIn = (atMs: ReadonlyArray<number>, window_ms: number): number =>
  Math.max(0, ...atMs.map((from) => atMs.filter((at) => at >= from && at < from + window_ms).length))

layer(hearWaits)("the connect governor", (it) => {
  it.effect("lets eight connect close together, then one every quarter of an hour, eleven in any hour", () =>
    Effect.gen(function* () {
      const governor = yield* makeGovernor(account, yield* scene)
      const atMs: Array<number> = []
      for (let connect = 0; connect < 24; connect++) atMs.push(yield* permitted(governor))
      assert.deepStrictEqual(
        atMs.slice(0, burst).map((at) => at - startMs),
        Array.from({ length: burst }, (_, index) => index * connectDistance_ms)
      )
      assert.strictEqual(mostIn(atMs, hour_ms), connectsPerHour_max)
      assert.strictEqual(connectsPerHour_max, 11)
      const slow = atMs.slice(burst + 1).map((at, index) => at - (atMs[burst + index] ?? 0))
      assert.deepStrictEqual(new Set(slow), new Set([15 * minute_ms]))
    })
  )

  it.effect("keeps the budget over a hundred starts within a minute", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      let connects = 0
      for (let start = 0; start < 100; start++) {
        const governor = yield* makeGovernor(account, folder)
        const allowed = (yield* governor.status).nextAtMs === undefined
        const fiber = yield* Effect.forkScoped(governor.permit)
        if (allowed) {
          yield* Fiber.join(fiber)
          connects += 1
        } else yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust(600)
      }
      assert.strictEqual(connects, burst)
      assert.strictEqual((yield* (yield* makeGovernor(account, folder)).status).connectsLastHour, burst)
    })
  )

  it.effect("is one budget for all processes of the folder", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const governors = yield* Effect.all(Array.from({ length: 10 }, () => makeGovernor(account, folder)))
      const fibers = yield* Effect.forEach(governors, ({ permit }) => Effect.forkScoped(permit))
      yield* until(() => fibers.some((fiber) => fiber.pollUnsafe() !== undefined))
      // The rest are at the distance of one connect, though all were started at once.
      yield* turns(200)
      assert.strictEqual(fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length, 1)
      assert.strictEqual((yield* (yield* makeGovernor(account, folder)).status).connectsLastHour, 1)
    })
  )

  it.effect("has the connect on disk when it allows it", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* (yield* makeGovernor(account, folder)).permit
      assert.include(readFileSync(recordIn(folder), "utf8"), `"connectedAtMs":[${startMs}]`)
      assert.strictEqual(statSync(recordIn(folder)).mode & 0o777, 0o600)
      assert.isUndefined(leakIn(readFileSync(recordIn(folder), "utf8") + recordIn(folder)))
    })
  )

  it.effect("is of one key in one place", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* (yield* makeGovernor(account, folder)).permit
      assert.isFalse(yield* allowedNow(folder))
      assert.isTrue(yield* allowedNow(folder, { ...account, appKey: Redacted.make("another") }))
      assert.isTrue(yield* allowedNow(folder, accountAt({ restUrl: "http://b", wsUrl: "ws://b" }, "mock")))
    })
  )

  it.effect("forgets the past at a server that was started for this run, and counts from there", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const own: KisAccount = { ...account, endpoints: { ...account.endpoints, startedForUs: true } }
      for (let start = 0; start < 20; start++) yield* (yield* makeGovernor(own, folder)).permit
      const governor = yield* makeGovernor(own, folder)
      for (let connect = 0; connect < burst; connect++) yield* permitted(governor)
      assert.isAbove(((yield* governor.status).nextAtMs ?? 0) - (yield* Clock.currentTimeMillis), 14 * minute_ms)
    })
  )

  for (const [name, text] of [
    ["empty", ""],
    ["cut", '{"connectedAtMs":[1'],
    ["of another shape", '{"connectedAtMs":"none","fullAtMs":0}']
  ] as const) {
    it.effect(`does not open when its record is ${name}: the burst counts as spent at its last change`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        yield* (yield* makeGovernor(account, folder)).permit
        writeFileSync(recordIn(folder), text)
        utimesSync(recordIn(folder), startMs / 1_000 - 60, startMs / 1_000 - 60)
        for (let start = 0; start < 3; start++) {
          const { connectsLastHour, nextAtMs } = yield* (yield* makeGovernor(account, folder)).status
          assert.strictEqual(nextAtMs, startMs + 14 * minute_ms)
          assert.strictEqual(connectsLastHour, burst)
        }
      })
    )
  }

  it.effect("lets nobody connect for a quarter of an hour from the start when it cannot write", () =>
    Effect.gen(function* () {
      const taken = join(yield* scene, "state")
      writeFileSync(taken, "a file where the folder should be")
      const governor = yield* makeGovernor(account, taken)
      assert.strictEqual((yield* governor.status).nextAtMs, startMs + 15 * minute_ms)
      const first = yield* permitted(governor)
      const second = yield* permitted(governor)
      assert.deepStrictEqual([first, second], [startMs + 15 * minute_ms, startMs + 30 * minute_ms])
    })
  )

  it.effect("is as careful when the folder fails after its record was read", () =>
    Effect.gen(function* () {
      const folder = join(yield* scene, "state")
      yield* (yield* makeGovernor(account, folder)).permit
      yield* TestClock.adjust("1 hour")
      const governor = yield* makeGovernor(account, folder)
      rmSync(folder, { recursive: true })
      writeFileSync(folder, "a file where the folder was")
      const beganMs = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* permitted(governor)) - beganMs, 15 * minute_ms)
      assert.strictEqual((yield* permitted(governor)) - beganMs, 30 * minute_ms)
      // Once the folder is back, what was allowed without it is made up for.
      rmSync(folder)
      assert.strictEqual((yield* permitted(governor)) - beganMs, 45 * minute_ms)
      assert.isFalse(yield* allowedNow(folder))
    })
  )

  it.effect("is neither opened nor closed for long by a clock set back", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const governor = yield* makeGovernor(account, folder)
      for (let connect = 0; connect < burst; connect++) yield* permitted(governor)
      yield* TestClock.setTime(startMs - 30 * 24 * hour_ms)
      const { nextAtMs = 0 } = yield* (yield* makeGovernor(account, folder)).status
      assert.isAbove(nextAtMs - (yield* Clock.currentTimeMillis), 0)
      assert.isAtMost(nextAtMs - (yield* Clock.currentTimeMillis), 15 * minute_ms)
    })
  )

  const Step = Schema.Literals(["connect", "restart", "break", "second", "quarter", "hour"])
  it.effect.prop(
    "never allows more than its budget in any hour, nor two close together, whatever happens",
    [Schema.Array(Step).check(Schema.isMaxLength(40))],
    ([steps]) =>
      Effect.scoped(
        Effect.gen(function* () {
          const folder = yield* scene
          const clock = yield* Clock.Clock
          let governor = yield* makeGovernor(account, folder)
          const atMs: Array<number> = []
          for (const step of steps) {
            if (step === "connect") {
              if ((yield* governor.status).nextAtMs !== undefined) continue
              // The record may have been broken since this run looked at it: then this waits, and says so.
              const fiber = yield* Effect.forkScoped(governor.permit)
              const waits = looked(
                Effect.map(governor.status, ({ nextAtMs }) => nextAtMs !== undefined),
                clock
              )
              yield* until(() => fiber.pollUnsafe() !== undefined || waits())
              yield* Effect.yieldNow
              if (fiber.pollUnsafe() === undefined) yield* Fiber.interrupt(fiber)
              else atMs.push(yield* Clock.currentTimeMillis)
            } else if (step === "restart") governor = yield* makeGovernor(account, folder)
            else if (step === "break") {
              for (const file of readdirSync(folder)) writeFileSync(join(folder, file), "{")
            } else {
              yield* TestClock.adjust({ second: 5_000, quarter: 15 * minute_ms, hour: hour_ms }[step])
            }
          }
          assert.isAtMost(mostIn(atMs, hour_ms), connectsPerHour_max)
          assert.isAtMost(mostIn(atMs, connectDistance_ms), 1)
        })
      ),
    { arbitrary: { runs: 25 }, timeout: 90_000 }
  )
})
