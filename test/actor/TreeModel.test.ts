import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type ActorStatus, ActorTree } from "../../src/actor/ActorTree.ts"
import { crashes_max, Mailbox, type Origin } from "../../src/actor/Mailbox.ts"
import type { RestartPolicy } from "../../src/actor/RestartPolicy.ts"
import { Supervisor } from "../../src/actor/Supervisor.ts"
import { Producers } from "../../src/journal/Producers.ts"

const policy: RestartPolicy = {
  restarts_max: 5,
  window_ms: 60_000,
  backOff_ms_min: 100,
  backOff_ms_max: 1_000,
  stable_ms: 5_000,
  exhausted: "park",
  coolDown_ms: 20_000
}

const actors = ["a", "b", "c"] as const
type Actor = (typeof actors)[number]

/** More often than anybody tries. */
const always = 1_000

/** What happens to the actor that handles a message: so many crashes before it writes, or after; or always. */
const Fate = Schema.Struct({
  before: Schema.Literals([0, 0, 0, 1, 2, always]),
  after: Schema.Literals([0, 0, 0, 1, 2, always]),
  how: Schema.Literals(["fails", "dies", "times out", "is interrupted"])
})
type Fate = typeof Fate.Type
const Step = Schema.Union([
  Schema.TaggedStruct("send", { to: Schema.Literals(actors), fate: Fate }),
  Schema.TaggedStruct("send", { to: Schema.Literals(actors), fate: Fate }),
  Schema.TaggedStruct("stop", { to: Schema.Literals(actors) }),
  Schema.TaggedStruct("wait", { for_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_000 })) })
])

interface Message {
  readonly number: number
  left: { before: number; after: number }
  readonly how: Fate["how"]
}

const crash = (how: Fate["how"]): Effect.Effect<never, unknown> => {
  switch (how) {
    case "fails":
      return Effect.fail("it failed")
    case "dies":
      return Effect.die(new Error("it died"))
    case "times out":
      return Effect.timeout(Effect.never, 10)
    case "is interrupted":
      return Effect.interrupt
  }
}

/** A store that appends as the journal does, once per producer's number, beside the actors that write to it. */
const makeStage = (batch_max: number) => {
  const producers = new Producers()
  const written: Array<readonly [producer: string, message: number, as: "data" | "poison"]> = []
  const append = (origin: Origin, messages: ReadonlyArray<Message>, as: "data" | "poison") =>
    Effect.sync(() => {
      for (const { origin: fresh } of producers.fresh([{ origin }])) {
        for (const { number } of messages) written.push([fresh.producer, number, as])
        producers.wrote(fresh, { first: 1, last: 1 })
      }
    })
  const spent = (messages: ReadonlyArray<Message>, when: "before" | "after") => {
    const message = messages.find(({ left }) => left[when] > 0)
    if (message === undefined) return Effect.void
    message.left[when] -= 1
    return crash(message.how)
  }
  const start = (name: Actor, mailbox: Mailbox<Message>) =>
    Effect.flatMap(Supervisor, ({ start: begin }) =>
      begin({
        name,
        kind: "transient",
        policy,
        mailbox,
        drain: mailbox.end,
        run: mailbox.consume({
          handle: (messages, origin) =>
            spent(messages, "before").pipe(
              Effect.andThen(append(origin, messages, "data")),
              Effect.andThen(spent(messages, "after"))
            ),
          onPoison: (message, origin) => append(origin, [message], "poison"),
          batch_max
        })
      })
    )
  return { written, start }
}

/** What each message must have become: three crashes in a row are poison, unless it was written before them. */
const fateOf = ({ before }: Fate): "data" | "poison" => (before >= crashes_max ? "poison" : "data")

/** Between two parks, or two stable runs, there are at most so many restarts in any window. */
const budgetHolds = (history: ReadonlyArray<ActorStatus>) => {
  let restartsAtMs: Array<number> = []
  let runningSinceMs = 0
  for (const { sinceMs, state } of history) {
    if (state._tag === "running") runningSinceMs = sinceMs
    if (state._tag === "starting" || state._tag === "parked") restartsAtMs = []
    if (state._tag !== "backingOff") continue
    if (sinceMs - runningSinceMs >= policy.stable_ms) restartsAtMs = []
    restartsAtMs.push(sinceMs)
    const inWindow = restartsAtMs.filter((at) => sinceMs - at < policy.window_ms)
    assert.isAtMost(inWindow.length, policy.restarts_max)
    assert.isAtMost(state.untilMs - sinceMs, policy.backOff_ms_max)
  }
}

describe("a tree under any sequence of messages, crashes, stops and time", () => {
  it.effect.prop(
    "loses no message, handles each actor's in order, writes none twice, and keeps every budget",
    [Schema.Array(Step), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 }))],
    ([steps, batch_max]) =>
      Effect.gen(function* () {
        const supervisor = yield* Supervisor
        const tree = yield* ActorTree
        const stage = makeStage(batch_max)
        const history: Array<ActorStatus> = []
        yield* Effect.forkChild(Stream.runForEach(tree.changes, (change) => Effect.sync(() => history.push(change))))
        yield* TestClock.adjust(0)
        const mailboxes = new Map<Actor, Mailbox<Message>>()
        const sent: Record<Actor, Array<readonly [number, Fate]>> = { a: [], b: [], c: [] }
        for (const name of actors) {
          const mailbox = yield* Mailbox.make<Message>({ actor: name, capacity: 1_000 })
          mailboxes.set(name, mailbox)
          yield* stage.start(name, mailbox)
        }
        for (const step of steps) {
          if (step._tag === "wait") yield* TestClock.adjust(step.for_ms)
          else {
            const mailbox = mailboxes.get(step.to)
            if (mailbox === undefined) return
            if (step._tag === "stop") {
              yield* supervisor.stop(step.to)
              yield* stage.start(step.to, mailbox)
            } else {
              const { after, before, how } = step.fate
              const number = sent[step.to].length + 1
              sent[step.to].push([number, step.fate])
              yield* mailbox.offer({ number, left: { before, after }, how })
            }
          }
        }
        yield* TestClock.adjust("2 hours")
        yield* TestClock.adjust(0)
        for (const name of actors) {
          assert.strictEqual(tree.stateOf(name)?._tag, "running")
          assert.strictEqual(mailboxes.get(name)?.depth, 0)
        }
        assert.deepStrictEqual(yield* supervisor.shutdown({ order: [], deadline_ms: 1_000 }), [])
        for (const name of actors) {
          const mine = stage.written.flatMap(([producer, number, as]) => (producer === name ? [[number, as]] : []))
          assert.deepStrictEqual(
            mine,
            sent[name].map(([number, fate]) => [number, fateOf(fate)])
          )
          assert.strictEqual(tree.stateOf(name)?._tag, "stopped")
          budgetHolds(history.filter((change) => change.name === name))
        }
      }).pipe(Effect.provide(Supervisor.layer)),
    { arbitrary: { runs: 1_000, size: 25 } }
  )
})
