import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import type { RestartPolicy } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"

const policy: RestartPolicy = {
  restarts_max: 3,
  window_ms: 60_000,
  backOff_ms_min: 100,
  backOff_ms_max: 1_000,
  stable_ms: 10_000,
  exhausted: "park",
  coolDown_ms: 30_000
}

/** Actors that note when they begin and end, and fail when told to. */
const makeGroup = (names: ReadonlyArray<string>, group: string) => {
  const log: Array<string> = []
  const faults = new Map<string, Deferred.Deferred<never, string>>()
  const start = Effect.gen(function* () {
    const supervisor = yield* Supervisor
    for (const name of names) {
      const run = Effect.suspend(() => {
        const fault = Deferred.makeUnsafe<never, string>()
        faults.set(name, fault)
        log.push(`+${name}`)
        return Effect.ensuring(
          Deferred.await(fault),
          Effect.sync(() => void log.push(`-${name}`))
        )
      })
      yield* supervisor.start({ name, kind: "permanent", policy, group, run })
    }
    yield* TestClock.adjust(0)
  })
  const fell = (name: string) =>
    Effect.suspend(() => {
      const fault = faults.get(name)
      return Effect.andThen(fault ? Deferred.fail(fault, "down") : Effect.void, TestClock.adjust(0))
    })
  const heard = () => log.splice(0)
  return { start, fell, heard }
}

const tagOf = Effect.fnUntraced(function* (name: string) {
  return (yield* ActorTree).stateOf(name)?._tag
})
const supervised = Effect.provide(Supervisor.layer)

describe("actors of a rest-for-one group", () => {
  it.effect("stop after the one that fell, the last first, and begin again in order once it runs", () =>
    Effect.gen(function* () {
      const { fell, heard, start } = makeGroup(["a", "b", "c", "d"], "g")
      yield* start
      assert.deepStrictEqual(heard(), ["+a", "+b", "+c", "+d"])
      yield* fell("b")
      assert.deepStrictEqual(heard(), ["-b", "-d", "-c"])
      assert.deepStrictEqual(
        [yield* tagOf("a"), yield* tagOf("b"), yield* tagOf("c"), yield* tagOf("d")],
        ["running", "backingOff", "starting", "starting"]
      )
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(heard(), ["+b", "+c", "+d"])
      assert.strictEqual(yield* tagOf("d"), "running")
    }).pipe(supervised)
  )

  it.effect("have not spent their own budget when another fell", () =>
    Effect.gen(function* () {
      const { fell, start } = makeGroup(["a", "b"], "g")
      yield* start
      for (let fall = 0; fall <= policy.restarts_max; fall++) {
        yield* fell("a")
        yield* TestClock.adjust("2 seconds")
      }
      const [first, second] = yield* (yield* ActorTree).snapshot
      assert.deepStrictEqual([first?.state._tag, second?.state._tag], ["parked", "starting"])
      yield* TestClock.adjust("31 seconds")
      assert.deepStrictEqual([yield* tagOf("a"), yield* tagOf("b")], ["running", "running"])
      yield* fell("b")
      assert.strictEqual(yield* tagOf("b"), "backingOff")
    }).pipe(supervised)
  )

  it.effect("do not wait for one that was stopped", () =>
    Effect.gen(function* () {
      const { fell, heard, start } = makeGroup(["a", "b", "c"], "g")
      yield* start
      yield* (yield* Supervisor).stop("a")
      yield* TestClock.adjust("1 second")
      heard()
      yield* fell("b")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(heard(), ["-b", "-c", "+b", "+c"])
    }).pipe(supervised)
  )

  const Step = Schema.Struct({
    fall: Schema.Literals(["a", "b", "c", "d", "x"]),
    wait_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 }))
  })
  it.effect.prop(
    "never run while one before them does not, and all run in the end, whatever falls when",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const names = ["a", "b", "c", "d"]
        const { fell, heard, start } = makeGroup(names, "g")
        const other = makeGroup(["x"], "h")
        yield* start
        yield* other.start
        const running = new Set<string>()
        const judge = () => {
          for (const word of heard()) {
            const name = word.slice(1)
            if (word.startsWith("-")) running.delete(name)
            else {
              const before = names.slice(0, names.indexOf(name))
              assert.isTrue(
                before.every((each) => running.has(each)),
                `${name} began before ${before.join()}`
              )
              running.add(name)
            }
          }
        }
        judge()
        for (const { fall, wait_ms } of steps) {
          const alive = [...running].join()
          yield* fall === "x" ? other.fell("x") : fell(fall)
          judge()
          if (fall === "x") assert.strictEqual([...running].join(), alive)
          yield* TestClock.adjust(wait_ms)
          judge()
        }
        yield* TestClock.adjust("10 minutes")
        judge()
        assert.deepStrictEqual([...running].sort(), names)
      }).pipe(supervised),
    { arbitrary: { runs: 200, size: 20 } }
  )
})
