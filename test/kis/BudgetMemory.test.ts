import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeRememberedBudget, type RememberedBudget } from "../../src/kis/BudgetMemory.ts"
import type { CallLimit } from "../../src/kis/CallLimits.ts"
import { KisThrottled } from "../../src/kis/KisError.ts"
import { accountAt, leakIn } from "../support/accounts.ts"
import { passUntil, scratchFolder } from "../support/virtualTime.ts"

const account = accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" })
const limit: CallLimit = { callsPerSecond: 18, asOf: "2026-04-20", source: "a notice" }
const scene = Effect.andThen(TestClock.setTime(Date.UTC(2026, 10, 24)), scratchFolder)
const monotonicMs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** A run of the program: its budget, and its end, in order or by a kill. */
const start = Effect.fnUntraced(function* (folder: string, of: CallLimit = limit, whose = account) {
  const scope = yield* Scope.make()
  const budget = yield* Scope.provide(makeRememberedBudget(whose, folder, of), scope)
  return { budget, end: Scope.close(scope, Exit.void) }
})

const storm = (budget: RememberedBudget) =>
  Effect.gen(function* () {
    const refused = Effect.flip(budget.spend(Effect.fail(new KisThrottled({ operation: "price", code: "EGW00201" }))))
    const fiber = yield* Effect.forkChild(Effect.forEach([1, 2, 3, 4, 5], () => refused))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(fiber)
  })

/** How long a call waits for its place. */
const wait_ms = (budget: RememberedBudget) =>
  Effect.gen(function* () {
    const before = yield* monotonicMs
    const fiber = yield* Effect.forkChild(budget.spend(monotonicMs))
    yield* TestClock.adjust("2 seconds")
    return (yield* Fiber.join(fiber)) - before
  })

const onlyFile = (folder: string) => {
  const files = readdirSync(folder)
  assert.strictEqual(files.length, 1)
  return join(folder, files[0] ?? "")
}

/** Of the versions of the one file: while it is written there are two. */
const newestText = (folder: string) => {
  const version = (file: string) => Number(file.split(".").at(-2))
  const [newest = ""] = readdirSync(folder).sort((a, b) => version(b) - version(a))
  return readFileSync(join(folder, newest), "utf8")
}

describe("the memory of the call budget", () => {
  it.effect("is a file of the key and place for its owner alone, with no secret in it or its name", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { end } = yield* start(folder)
      yield* end
      const file = onlyFile(folder)
      assert.match(file, /budget-live-[0-9a-f]{16}\.\d+\.json$/)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.isUndefined(leakIn(file + readFileSync(file, "utf8")))
      yield* (yield* start(folder, limit, accountAt({ restUrl: "http://b", wsUrl: "ws://b" }, "mock"))).end
      assert.strictEqual(readdirSync(folder).length, 2)
    })
  )

  it.effect("lets the next run go on at the rate that was learnt", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const first = yield* start(folder)
      yield* storm(first.budget)
      const { learntPerSecond } = yield* first.budget.status
      assert.isBelow(learntPerSecond, 18)
      yield* first.end
      yield* TestClock.adjust("1 hour")
      const second = yield* start(folder)
      assert.deepInclude(yield* second.budget.status, { learntPerSecond, callsPerSecond: 18, asOf: "2026-04-20" })
      assert.strictEqual((yield* second.budget.standing).learnt.ceiling, 18)
      yield* second.end
      // Nothing was learnt meanwhile: it is as old as it was.
      yield* TestClock.adjust("5 hours")
      const third = yield* start(folder)
      assert.isUndefined((yield* third.budget.standing).learnt.ceiling)
      assert.deepInclude(yield* third.budget.status, { learntPerSecond })
    })
  )

  it.effect("is written while the program runs, for it may be killed, and only when the rate has changed", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const { budget } = yield* start(folder)
      yield* Effect.forkScoped(budget.keep)
      const file = onlyFile(folder)
      const untouched = statSync(file).mtimeMs
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(statSync(file).mtimeMs, untouched)
      yield* storm(budget)
      yield* passUntil(() => newestText(folder).includes('"learntPerSecond":6'), 100)
      const next = yield* start(folder)
      assert.deepInclude(yield* next.budget.status, { learntPerSecond: 6 })
    })
  )

  it.effect("takes the last second for spent unless the run before ended in order", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const unknown = yield* start(folder)
      assert.strictEqual(yield* wait_ms(unknown.budget), 1_001)
      // Killed: its end is not run.
      const killed = yield* start(folder)
      assert.strictEqual(yield* wait_ms(killed.budget), 1_001)
      yield* killed.end
      const orderly = yield* start(folder)
      assert.strictEqual(yield* wait_ms(orderly.budget), 0)
    })
  )

  it.effect("counts the calls of the last second, and those under way, when it ended in order", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const one: CallLimit = { ...limit, callsPerSecond: 1 }
      const first = yield* start(folder, one)
      yield* wait_ms(first.budget)
      const underWay = yield* Effect.forkChild(first.budget.spend(Effect.never))
      yield* TestClock.adjust("2 seconds")
      yield* first.end
      const second = yield* start(folder, one)
      assert.strictEqual(yield* wait_ms(second.budget), 1_001)
      yield* Fiber.interrupt(underWay)
    })
  )

  it.effect("trusts no file whose clock is ahead, and none that cannot be read", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* (yield* start(folder)).end
      const file = onlyFile(folder)
      const known = JSON.parse(readFileSync(file, "utf8"))
      const ahead = (yield* Clock.currentTimeMillis) + 3_600_000
      writeFileSync(file, JSON.stringify({ ...known, spentUntilMs: [ahead] }))
      assert.strictEqual(yield* wait_ms((yield* start(folder)).budget), 1_001)
      writeFileSync(file, '{"callsPerSecond":')
      const { budget } = yield* start(folder)
      assert.strictEqual(yield* wait_ms(budget), 1_001)
      assert.deepInclude(yield* budget.status, { learntPerSecond: 18 })
    })
  )

  it.effect("waits for nothing at a server started for this run", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const own = { ...account, endpoints: { ...account.endpoints, startedForUs: true } }
      const { budget } = yield* start(folder, limit, own)
      assert.strictEqual(yield* wait_ms(budget), 0)
    })
  )

  it.effect("is done without when its folder cannot be written, and says so and the limit at the start", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
      writeFileSync(join(folder, "file"), "")
      const { budget } = yield* Effect.provide(start(join(folder, "file", "state")), Logger.layer([logger]))
      assert.strictEqual(yield* wait_ms(budget), 1_001)
      assert.include(lines[0], "at most 18 calls a second")
      assert.include(lines[0], '"as_of":"2026-04-20"')
      assert.include(lines[1], "could not be remembered")
    })
  )
})
