import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Queue, Schema } from "effect"
import { crashes_max, Mailbox } from "../../src/actor/Mailbox.ts"
import { singly } from "./singly.ts"

const capacity = 3
const Step = Schema.Literals(["offer", "offer", "pass", "pass", "crash", "stop"])

/** The mailbox as a list: what is in hand is its head while an actor runs, and a crash leaves the head where it is. */
class Model {
  inside: Array<number> = []
  waiting: Array<number> = []
  crashes = 0
  readonly handled: Array<number> = []
  readonly poison: Array<number> = []

  /** The message in hand does not take a place of the queue. */
  private admit() {
    while (this.waiting.length > 0 && this.inside.length < capacity + 1) {
      this.inside.push(...this.waiting.splice(0, 1))
    }
  }

  offer(message: number) {
    this.waiting.push(message)
    this.admit()
  }

  private leave(into: Array<number>) {
    into.push(...this.inside.splice(0, 1))
    this.crashes = 0
    this.admit()
  }

  pass() {
    this.leave(this.handled)
  }

  crash() {
    this.crashes += 1
    if (this.crashes === crashes_max) this.leave(this.poison)
  }
}

const settled = Effect.yieldNow.pipe(Effect.repeat({ times: 30 }))

describe("a mailbox under any sequence of offers, crashes and stops", () => {
  it.effect.prop(
    "does what its model does, and loses and doubles nothing",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const model = new Model()
        const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: capacity })
        const handled: Array<number> = []
        const poison: Array<number> = []
        const verdicts = yield* Queue.bounded<"pass" | "crash">(1)
        let trying: number | undefined
        const consume = mailbox.consume(
          singly(
            (message) =>
              Effect.gen(function* () {
                trying = message
                if ((yield* Queue.take(verdicts)) === "crash") return yield* Effect.die(`crash on ${message}`)
                handled.push(message)
              }),
            (message) => Effect.sync(() => void poison.push(message))
          )
        )
        let sent = 0
        let actor = yield* Effect.forkChild(consume)
        for (const step of steps) {
          yield* settled
          if (step === "offer") {
            yield* Effect.forkChild(mailbox.offer(++sent))
            model.offer(sent)
          } else if (step === "stop") {
            yield* Fiber.interrupt(actor)
            actor = yield* Effect.forkChild(consume)
          } else if (model.inside.length > 0) {
            assert.strictEqual(trying, model.inside[0])
            yield* Queue.offer(verdicts, step)
            yield* settled
            if (step === "crash") {
              assert.isTrue(Exit.hasDies(yield* Fiber.await(actor)))
              actor = yield* Effect.forkChild(consume)
            }
            model[step]()
          }
          yield* settled
          assert.deepStrictEqual([handled, poison, mailbox.depth], [model.handled, model.poison, model.inside.length])
          const { offered, poisoned, taken } = mailbox.counts
          assert.strictEqual(offered, sent - model.waiting.length)
          assert.deepStrictEqual([taken, poisoned], [handled.length, poison.length])
        }
        yield* mailbox.end
        while (model.inside.length > 0) {
          yield* Queue.offer(verdicts, "pass")
          model.pass()
        }
        yield* Fiber.join(actor)
        assert.deepStrictEqual([handled, poison], [model.handled, model.poison])
        assert.deepStrictEqual(
          [...handled, ...poison].sort((a, b) => a - b),
          Array.from({ length: sent }, (_, index) => index + 1)
        )
      }),
    { arbitrary: { runs: 150, size: 40 } }
  )
})
