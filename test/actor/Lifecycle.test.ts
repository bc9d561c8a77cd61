import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import { type ActorState, type LifecycleEvent, transition } from "../../src/actor/Lifecycle.ts"

const states: Readonly<Record<ActorState["_tag"], ActorState>> = {
  starting: { _tag: "starting" },
  running: { _tag: "running" },
  backingOff: { _tag: "backingOff", attempt: 2, untilMs: 5 },
  parked: { _tag: "parked", cause: "spent", untilMs: 9 },
  stopped: { _tag: "stopped" }
}
const events: Readonly<Record<LifecycleEvent["_tag"], LifecycleEvent>> = {
  Begin: { _tag: "Begin" },
  Run: { _tag: "Run" },
  Hold: { _tag: "Hold" },
  BackOff: { _tag: "BackOff", attempt: 2, untilMs: 5 },
  Park: { _tag: "Park", cause: "spent", untilMs: 9 },
  Stop: { _tag: "Stop" }
}

const illegal = "-"
const table: Readonly<Record<ActorState["_tag"], ReadonlyArray<ActorState["_tag"] | typeof illegal>>> = {
  //           Begin       Run        Hold        BackOff       Park      Stop
  starting: [illegal, "running", "starting", illegal, illegal, "stopped"],
  running: [illegal, illegal, "starting", "backingOff", "parked", "stopped"],
  backingOff: [illegal, "running", "starting", illegal, illegal, "stopped"],
  parked: [illegal, "running", "starting", illegal, illegal, "stopped"],
  stopped: ["starting", illegal, illegal, illegal, illegal, illegal]
}

const tagsOf = <Tag extends string>(record: Readonly<Record<Tag, unknown>>) => Object.keys(record) as Array<Tag>

describe("the life of an actor", () => {
  for (const from of tagsOf(states)) {
    for (const [column, event] of tagsOf(events).entries()) {
      const to = table[from][column] ?? illegal
      it(`${from} and ${event} ${to === illegal ? "cannot happen" : `give ${to}`}`, () => {
        const expected = to === illegal ? undefined : states[to]
        assert.deepStrictEqual(transition(states[from], events[event]), expected)
      })
    }
  }
})

describe("the tree", () => {
  it.effect("dies of a transition that cannot happen, and of a name it does not know", () =>
    Effect.gen(function* () {
      const tree = yield* ActorTree
      yield* tree.enter("a")
      const parked = yield* Effect.exit(tree.turn("a", events.Park))
      const unknown = yield* Effect.exit(tree.turn("b", events.Run))
      assert.include(String(parked), "Park cannot happen to a, which is starting")
      assert.include(String(unknown), "Run cannot happen to b")
      assert.deepStrictEqual(tree.stateOf("a"), states.starting)
    }).pipe(Effect.provide(ActorTree.layer))
  )

  it.effect("tells every change in order to whoever listens, with the time and the last error", () =>
    Effect.gen(function* () {
      const tree = yield* ActorTree
      const told = yield* Effect.forkChild(Stream.runCollect(Stream.take(tree.changes, 5)))
      yield* TestClock.adjust(10)
      yield* tree.enter("a")
      yield* tree.turn("a", events.Run)
      yield* TestClock.adjust(10)
      yield* tree.turn("a", events.BackOff, "the socket broke")
      yield* tree.turn("a", events.Run)
      yield* tree.turn("a", events.Stop)
      const changes = yield* Fiber.join(told)
      assert.deepStrictEqual(
        changes.map(({ lastError, restarts, sinceMs, state }) => [state._tag, sinceMs, restarts, lastError]),
        [
          ["starting", 10, 0, undefined],
          ["running", 10, 0, undefined],
          ["backingOff", 20, 0, "the socket broke"],
          ["running", 20, 1, "the socket broke"],
          ["stopped", 20, 1, "the socket broke"]
        ]
      )
    }).pipe(Effect.provide(ActorTree.layer))
  )

  it.effect("gives a name that is used again a history of its own", () =>
    Effect.gen(function* () {
      const tree = yield* ActorTree
      yield* tree.enter("a")
      yield* tree.turn("a", events.Run)
      yield* tree.turn("a", events.BackOff, "the socket broke")
      yield* tree.turn("a", events.Run)
      yield* tree.turn("a", events.Stop)
      yield* tree.enter("a")
      assert.deepStrictEqual(yield* tree.snapshot, [{ name: "a", state: states.starting, sinceMs: 0, restarts: 0 }])
    }).pipe(Effect.provide(ActorTree.layer))
  )
})
