import { assert, describe, it } from "@effect/vitest"
import { Context, Data, Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import { hosted } from "../../src/actor/hosted.ts"
import { Mailbox } from "../../src/actor/Mailbox.ts"
import { patient } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"

const supervised = Effect.provide(Supervisor.layer)
const spec = { kind: "transient", policy: patient } as const

/** An actor with a mailbox that takes a second a message and says when it has ended. */
const startSlow = Effect.fnUntraced(function* (name: string, messages: number, log: Array<string>) {
  const mailbox = yield* Mailbox.make<number>({ actor: name, capacity: 100 })
  for (let message = 0; message < messages; message++) yield* mailbox.offer(message)
  const run = mailbox
    .consume({ handle: () => Effect.delay(Effect.void, "1 second"), onPoison: () => Effect.void })
    .pipe(Effect.tap(() => Effect.sync(() => void log.push(name))))
  yield* (yield* Supervisor).start({ ...spec, name, mailbox, run, drain: mailbox.end })
  return mailbox
})

describe("an ordered shutdown", () => {
  it.effect("ends stage after stage, the actors of one together, each when its mailbox is empty", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const log: Array<string> = []
      yield* startSlow("journal", 1, log)
      yield* startSlow("shard/0", 3, log)
      yield* startSlow("shard/1", 2, log)
      yield* startSlow("other", 1, log)
      const source = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void log.push("account/main")))
      yield* supervisor.start({ ...spec, name: "account/main", run: source })
      yield* TestClock.adjust(0)
      const stopping = yield* Effect.forkChild(
        supervisor.shutdown({ order: ["account", "shard", "journal"], deadline_ms: 60_000 })
      )
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(
        log,
        ["account/main", "journal", "other", "shard/1"].filter((name) => log.includes(name))
      )
      assert.isFalse(log.includes("shard/0"))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(stopping), [])
      const states = (yield* (yield* ActorTree).snapshot).map(({ state }) => state._tag)
      assert.isTrue(states.every((tag) => tag === "stopped"))
    }).pipe(supervised)
  )

  it.effect("does not begin a stage before the one before it has ended", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const log: Array<string> = []
      const first = yield* startSlow("first", 5, log)
      const second = yield* startSlow("second", 1, log)
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.forkChild(supervisor.shutdown({ order: ["first", "second"], deadline_ms: 60_000 }))
      yield* TestClock.adjust("3 seconds")
      assert.isFalse(yield* first.offer(9))
      assert.isTrue(yield* second.offer(9))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([yield* Fiber.join(stopping), log], [[], ["first", "second"]])
    }).pipe(supervised)
  )

  it.effect("cuts off what has not ended by its deadline, and names it", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const log: Array<string> = []
      yield* startSlow("shard/0", 2, log)
      yield* startSlow("follower/sql", 50, log)
      yield* startSlow("journal", 1, log)
      const stopping = yield* Effect.forkChild(
        supervisor.shutdown({ order: ["shard", "follower", "journal"], deadline_ms: 8_000 })
      )
      yield* TestClock.adjust("8 seconds")
      assert.deepStrictEqual(yield* Fiber.join(stopping), ["follower/sql", "journal"])
      yield* supervisor.ended("journal")
      assert.deepStrictEqual(log, ["shard/0"])
    }).pipe(supervised)
  )

  it.effect("keeps its deadline as a finalizer too, where nothing is interruptible", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      yield* supervisor.start({ ...spec, name: "deaf", run: Effect.never, drain: Effect.never })
      const ended = yield* Effect.never.pipe(
        Effect.ensuring(supervisor.shutdown({ order: [], deadline_ms: 1_000 })),
        Effect.forkChild
      )
      yield* TestClock.adjust(0)
      const stopped = yield* Effect.forkChild(Fiber.interrupt(ended))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stopped)
    }).pipe(supervised)
  )
})

class Broken extends Data.TaggedError("Broken")<{ readonly at: number }> {}
class Port extends Context.Service<Port, { readonly port: number }>()("test/Port") {}

describe("a layer as an actor", () => {
  it.effect("is built anew for every run, and lets go of what it had before", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const log: Array<string> = []
      const fall = yield* Deferred.make<never, Broken>()
      let builds = 0
      const layer = Layer.effect(
        Port,
        Effect.gen(function* () {
          const port = ++builds
          yield* Effect.acquireRelease(
            Effect.sync(() => void log.push(`open ${port}`)),
            () => Effect.sync(() => void log.push(`close ${port}`))
          )
          return { port }
        })
      )
      const server = hosted(layer)
      const run = Effect.raceFirst(server.run, builds === 0 ? Deferred.await(fall) : Effect.never)
      yield* supervisor.start({ ...spec, name: "http", run })
      assert.strictEqual(Context.get(yield* server.first, Port).port, 1)
      yield* Deferred.fail(fall, new Broken({ at: 1 }))
      yield* TestClock.adjust("1 second")
      yield* supervisor.stop("http")
      assert.deepStrictEqual(log.slice(0, 3), ["open 1", "close 1", "open 2"])
      assert.strictEqual(log.at(-1), `close ${builds}`)
    }).pipe(supervised)
  )

  it.effect("tells whoever waits for its first build why that failed", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const server = hosted(Layer.effect(Port, Effect.fail(new Broken({ at: 7 }))))
      yield* supervisor.start({ ...spec, name: "http", run: server.run })
      const error = yield* Effect.flip(server.first)
      assert.strictEqual(error.at, 7)
    }).pipe(supervised)
  )
})
