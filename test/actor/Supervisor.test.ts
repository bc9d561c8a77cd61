import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type ActorState, ActorTree } from "../../src/actor/ActorTree.ts"
import { Mailbox } from "../../src/actor/Mailbox.ts"
import type { RestartPolicy } from "../../src/actor/RestartPolicy.ts"
import { type ChildSpec, Supervisor } from "../../src/actor/Supervisor.ts"
import { singly } from "./singly.ts"

const policy: RestartPolicy = {
  restarts_max: 2,
  window_ms: 60_000,
  backOff_ms_min: 100,
  backOff_ms_max: 1_000,
  stable_ms: 10_000,
  exhausted: "park",
  coolDown_ms: 30_000
}

/** An actor that does one thing per run, the last of them in every run after, and counts its runs. */
const actor = <E>(
  name: string,
  kind: ChildSpec<never, never>["kind"],
  runs: readonly [Effect.Effect<void, E>, ...ReadonlyArray<Effect.Effect<void, E>>],
  own: Partial<RestartPolicy> = {}
) => {
  const counted = { runs: 0 }
  const run = Effect.suspend(() => runs[Math.min(counted.runs++, runs.length - 1)] ?? Effect.void)
  return { counted, spec: { name, kind, policy: { ...policy, ...own }, run } satisfies ChildSpec<E, never> }
}

class SocketBroke extends Data.TaggedError("SocketBroke")<{ readonly message: string }> {}
const crash = Effect.fail(new SocketBroke({ message: "the socket broke" }))
const statusOf = Effect.fnUntraced(function* (name: string) {
  const found = (yield* (yield* ActorTree).snapshot).find((status) => status.name === name)
  return found ?? (yield* Effect.die(`the tree does not know ${name}`))
})
const stateAs = Effect.fnUntraced(function* <Tag extends ActorState["_tag"]>(name: string, tag: Tag) {
  const { state } = yield* statusOf(name)
  assert.strictEqual(state._tag, tag)
  return state as Extract<ActorState, { _tag: Tag }>
})
const supervised = Effect.provide(Supervisor.layer)

describe("a supervisor", () => {
  it.effect("starts a permanent actor again whether it fails, dies or ends", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("p", "permanent", [crash, Effect.die("a bug"), Effect.void, Effect.never], {
        restarts_max: 9
      })
      yield* supervisor.start(spec)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(counted.runs, 4)
      const status = yield* statusOf("p")
      assert.deepStrictEqual(status.state, { _tag: "running" })
      assert.strictEqual(status.restarts, 3)
      assert.include(status.lastError, "ended though it should run for ever")
    }).pipe(supervised)
  )

  it.effect("starts a transient actor again when it failed, and not when it ended", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("t", "transient", [crash, Effect.void])
      yield* supervisor.start(spec)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(counted.runs, 2)
      yield* supervisor.ended("t")
      assert.deepStrictEqual((yield* statusOf("t")).state, { _tag: "stopped" })
    }).pipe(supervised)
  )

  it.effect("never starts a temporary actor again, and keeps its last words", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("o", "temporary", [crash, Effect.never])
      yield* supervisor.start(spec)
      yield* supervisor.ended("o")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(counted.runs, 1)
      const status = yield* statusOf("o")
      assert.deepStrictEqual([status.state._tag, status.lastError], ["stopped", "the socket broke"])
    }).pipe(supervised)
  )

  it.effect("says of a waiting actor which try it is and until when it waits, and starts it exactly then", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("b", "permanent", [crash, crash, Effect.never])
      yield* TestClock.setTime(1_000_000)
      yield* supervisor.start(spec)
      let nowMs = 1_000_000
      for (const [attempt, most] of [
        [1, 100],
        [2, 200]
      ] as const) {
        const state = yield* stateAs("b", "backingOff")
        assert.strictEqual(state.attempt, attempt)
        const wait_ms = state.untilMs - nowMs
        assert.isTrue(wait_ms >= most / 2 && wait_ms <= most, `${wait_ms} ms of ${most}`)
        assert.strictEqual((yield* statusOf("b")).sinceMs, nowMs)
        yield* TestClock.adjust(wait_ms - 1)
        assert.strictEqual(counted.runs, attempt)
        yield* TestClock.adjust(1)
        assert.strictEqual(counted.runs, attempt + 1)
        nowMs += wait_ms
      }
      assert.deepStrictEqual((yield* statusOf("b")).state, { _tag: "running" })
    }).pipe(supervised)
  )

  it.effect("parks an actor whose budget is spent, tries again after the cool-down, with a budget anew", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("k", "permanent", [crash])
      yield* supervisor.start(spec)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(counted.runs, 3)
      const { cause, untilMs } = yield* stateAs("k", "parked")
      assert.strictEqual(cause, "the socket broke")
      assert.isAtMost(untilMs, 30_300)
      yield* TestClock.setTime(untilMs - 1)
      assert.strictEqual(counted.runs, 3)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(counted.runs, 6)
      const again = yield* statusOf("k")
      assert.deepStrictEqual([again.state._tag, again.restarts], ["parked", 5])
    }).pipe(supervised)
  )

  it.effect("fails `escalated` with the actor's name and words when the policy ends the tree", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("v", "permanent", [crash], { exhausted: "escalate" })
      const escalated = yield* Effect.forkChild(supervisor.escalated)
      yield* supervisor.start(spec)
      yield* TestClock.adjust("150 millis")
      assert.isUndefined(escalated.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const error = yield* Effect.flip(Fiber.join(escalated))
      assert.deepStrictEqual([error._tag, error.actor, error.reason], ["ActorExhausted", "v", "the socket broke"])
      assert.include(error.message, "the actor v failed too often")
      yield* supervisor.ended("v")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(counted.runs, 3)
      const status = yield* statusOf("v")
      assert.deepStrictEqual([status.state._tag, status.lastError], ["stopped", "the socket broke"])
    }).pipe(supervised)
  )

  it.effect("keeps the last words of an actor that escalates at its first failure", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      yield* supervisor.start(actor("v", "permanent", [crash], { exhausted: "escalate", restarts_max: 0 }).spec)
      yield* supervisor.ended("v")
      assert.strictEqual((yield* statusOf("v")).lastError, "the socket broke")
    }).pipe(supervised)
  )

  it.effect("counts the interruption that ends an actor as nothing", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("i", "permanent", [Effect.never])
      yield* supervisor.start(spec)
      yield* TestClock.adjust("1 second")
      yield* supervisor.stop("i")
      yield* supervisor.ended("i")
      yield* TestClock.adjust("1 hour")
      const status = yield* statusOf("i")
      assert.deepStrictEqual([counted.runs, status.state._tag, status.restarts], [1, "stopped", 0])
      assert.isUndefined(status.lastError)
    }).pipe(supervised)
  )

  it.effect("takes an interruption that nobody asked for as a failure, so that no actor is dead in silence", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("i", "transient", [Effect.interrupt, Effect.never])
      yield* supervisor.start(spec)
      yield* TestClock.adjust("1 second")
      const status = yield* statusOf("i")
      assert.deepStrictEqual([counted.runs, status.state._tag, status.restarts], [2, "running", 1])
    }).pipe(supervised)
  )

  it.effect("lets no actor feel another's crash", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 8 })
      const handled: Array<number> = []
      const run = mailbox.consume(
        singly(
          (message) => Effect.sync(() => void handled.push(message)),
          () => Effect.void
        )
      )
      yield* supervisor.start({ name: "calm", kind: "transient", policy, mailbox, run })
      const { counted, spec } = actor("wild", "permanent", [crash], { restarts_max: 50 })
      yield* supervisor.start(spec)
      for (const message of [1, 2, 3]) {
        yield* mailbox.offer(message)
        yield* TestClock.adjust("3 seconds")
      }
      assert.isAbove(counted.runs, 8)
      assert.deepStrictEqual(handled, [1, 2, 3])
      const calm = yield* statusOf("calm")
      assert.deepStrictEqual([calm.state._tag, calm.restarts, calm.sinceMs], ["running", 0, 0])
      yield* mailbox.end
      yield* supervisor.ended("calm")
    }).pipe(supervised)
  )

  it.effect("hands a crashed actor's message over to its next run", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const mailbox = yield* Mailbox.make<string>({ actor: "test", capacity: 8 })
      const seen: Array<string> = []
      const poison: Array<string> = []
      const run = mailbox.consume(
        singly(
          (message) =>
            Effect.suspend(() => {
              seen.push(message)
              return message === "bad" ? Effect.fail("crash") : Effect.void
            }),
          (message) => Effect.sync(() => void poison.push(message))
        )
      )
      yield* supervisor.start({ name: "s", kind: "transient", policy: { ...policy, restarts_max: 9 }, mailbox, run })
      yield* Effect.forEach(["good", "bad", "next"], (message) => mailbox.offer(message))
      yield* mailbox.end
      yield* TestClock.adjust("5 seconds")
      yield* supervisor.ended("s")
      assert.deepStrictEqual(seen, ["good", "bad", "bad", "bad", "next"])
      assert.deepStrictEqual(poison, ["bad"])
    }).pipe(supervised)
  )

  it.effect("shows how full an actor's mailbox is", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 8 })
      yield* mailbox.offer(1)
      yield* mailbox.offer(2)
      yield* supervisor.start({ name: "m", kind: "permanent", policy, mailbox, run: Effect.never })
      yield* supervisor.start({ name: "n", kind: "permanent", policy, run: Effect.never })
      const [m, n] = yield* (yield* ActorTree).snapshot
      assert.deepStrictEqual([m?.mailboxDepth, m?.mailboxCapacity], [2, 8])
      assert.notProperty(n, "mailboxDepth")
      assert.notProperty(n, "lastError")
    }).pipe(supervised)
  )
})

describe("a supervised actor that is stopped", () => {
  it.effect("has ended, finalizers and all, when stop returns, and stays down", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const finished = yield* Deferred.make<void>()
      let closed = false
      const run = Effect.never.pipe(
        Effect.ensuring(
          Effect.andThen(
            Deferred.await(finished),
            Effect.sync(() => (closed = true))
          )
        )
      )
      yield* supervisor.start({ name: "s", kind: "permanent", policy, run })
      const stopping = yield* Effect.forkChild(supervisor.stop("s"))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(stopping.pollUnsafe())
      yield* Deferred.succeed(finished, undefined)
      yield* Fiber.join(stopping)
      assert.isTrue(closed)
      yield* supervisor.ended("s")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual((yield* statusOf("s")).state, { _tag: "stopped" })
    }).pipe(supervised)
  )

  it.effect("does not rise again out of its back-off", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const { counted, spec } = actor("s", "permanent", [crash, Effect.never])
      yield* supervisor.start(spec)
      assert.strictEqual((yield* statusOf("s")).state._tag, "backingOff")
      yield* supervisor.stop("s")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual([counted.runs, (yield* statusOf("s")).state._tag], [1, "stopped"])
    }).pipe(supervised)
  )

  it.effect("may be one that nobody started, or one that has ended", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      yield* supervisor.stop("nobody")
      yield* supervisor.ended("nobody")
      yield* supervisor.start(actor("done", "transient", [Effect.void]).spec)
      yield* supervisor.ended("done")
      yield* supervisor.stop("done")
    }).pipe(supervised)
  )

  it.effect("gives its name to the next one, which starts only when the first has ended", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      let alive = 0
      let most = 0
      const run = Effect.acquireUseRelease(
        Effect.sync(() => (most = Math.max(most, ++alive))),
        () => Effect.never,
        () =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => (alive -= 1))
          )
      )
      yield* supervisor.start({ name: "s", kind: "permanent", policy, run })
      yield* supervisor.start({ name: "s", kind: "permanent", policy, run })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([alive, most], [1, 1])
      assert.deepStrictEqual((yield* statusOf("s")).state, { _tag: "running" })
    }).pipe(supervised)
  )

  it.effect("is every one of them when the supervisor's scope closes, in back-off or at work", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const tree = yield* Effect.gen(function* () {
        const supervisor = yield* Supervisor
        const run = Effect.ensuring(
          Effect.never,
          Effect.sync(() => void ended.push("at work"))
        )
        yield* supervisor.start({ name: "at work", kind: "permanent", policy, run })
        yield* supervisor.start(actor("in back-off", "permanent", [crash]).spec)
        return yield* ActorTree
      }).pipe(supervised)
      assert.deepStrictEqual(ended, ["at work"])
      const states = (yield* tree.snapshot).map(({ name, state }) => `${name}: ${state._tag}`)
      assert.deepStrictEqual(states, ["at work: stopped", "in back-off: stopped"])
    })
  )

  it.effect("is not taken for crashed when it is interrupted while it also fails to clean up", () =>
    Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const run = Effect.ensuring(Effect.never, Effect.die("cleaning up failed"))
      yield* supervisor.start({ name: "s", kind: "permanent", policy, run })
      yield* supervisor.stop("s")
      yield* TestClock.adjust("1 hour")
      const status = yield* statusOf("s")
      assert.deepStrictEqual([status.state._tag, status.restarts], ["stopped", 0])
    }).pipe(supervised)
  )
})
