import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { ActorTree } from "../../src/actor/ActorTree.ts"
import { crashes_max, Mailbox } from "../../src/actor/Mailbox.ts"
import { patient } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"

const shards = 32
const sick = 7
const messages = 200
/** A shard takes so long for a message, and one comes as often. */
const work_ms = 10

/** Sends every shard a message each 10 ms; gives, by shard, when each of its messages was handled, and the sick one's poison. */
const day = (isSick: boolean) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor
    const handledAtMs = Array.from({ length: shards }, (): Array<number> => [])
    const poison: Array<number> = []
    for (const [index, handled] of handledAtMs.entries()) {
      const mailbox = yield* Mailbox.make<number>({ actor: `shard/${index}`, capacity: messages })
      const handle = Effect.gen(function* () {
        if (isSick && index === sick) return yield* Effect.die("it dies on every message")
        yield* Effect.delay(Effect.void, work_ms)
        handled.push(yield* Clock.currentTimeMillis)
      })
      const onPoison = (message: number) => Effect.sync(() => void poison.push(message))
      const run = mailbox.consume({ handle: () => handle, onPoison })
      yield* supervisor.start({ name: mailbox.actor, kind: "transient", policy: patient, mailbox, run })
      yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: messages }, (_, at) => at),
          (message) => Effect.delay(mailbox.offer(message), work_ms)
        )
      )
    }
    yield* TestClock.adjust(work_ms * (messages + 2))
    const standings = yield* (yield* ActorTree).snapshot
    return { handledAtMs, poison, standings }
  }).pipe(Effect.provide(Supervisor.layer))

describe("one of 32 shards that dies on every message", () => {
  it.effect("costs the others no message and no millisecond", () =>
    Effect.gen(function* () {
      const well = yield* day(false)
      const startMs = yield* Clock.currentTimeMillis
      const ill = yield* day(true)
      const others = <A>(values: ReadonlyArray<A>) => values.filter((_, index) => index !== sick)
      for (const handled of others(ill.handledAtMs)) assert.strictEqual(handled.length, messages)
      assert.deepStrictEqual(
        others(ill.handledAtMs).map((handled) => handled.map((at) => at - startMs)),
        others(well.handledAtMs)
      )
      assert.isTrue(others(ill.standings).every(({ restarts, state }) => restarts === 0 && state._tag === "running"))
    })
  )

  it.effect("sets aside each of its messages after three crashes, in order, and rests when its budget is spent", () =>
    Effect.gen(function* () {
      const { handledAtMs, poison, standings } = yield* day(true)
      assert.deepStrictEqual(handledAtMs[sick], [])
      const { restarts = 0, state } = standings[sick] ?? {}
      assert.deepStrictEqual(
        poison,
        Array.from({ length: Math.floor(restarts / crashes_max) }, (_, at) => at)
      )
      assert.isAbove(restarts, 0)
      assert.isAtMost(restarts, patient.restarts_max)
      assert.include(["backingOff", "parked"], state?._tag)
    })
  )
})
