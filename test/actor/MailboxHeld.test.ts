import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { Mailbox } from "../../src/actor/Mailbox.ts"

const Step = Schema.Struct({
  does: Schema.Literals(["send", "send", "send", "giveUp", "crash", "restart", "wait"]),
  messages: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 }))
})

/** Lets other fibers have some turns, not all that they need: a look in between must find nothing amiss either. */
const someTurns = (turns: number) => Effect.repeat(Effect.yieldNow, { times: turns })

/** A message has its number from the moment on at which the mailbox has taken it. */
interface Message {
  number: number | undefined
}

describe("the messages that a mailbox holds", () => {
  it.effect.prop(
    "are with those that are done, at every moment, all that it has ever taken",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.scoped(
        Effect.gen(function* () {
          const mailbox = yield* Mailbox.make<Message>({ actor: "shard/0", capacity: 3 })
          const done: Array<Message> = []
          const senders: Array<Fiber.Fiber<boolean>> = []
          let taken = 0
          let crashes = 0
          const run = mailbox.consume<never, never, never, ReadonlyArray<Message>>({
            handle: Effect.fnUntraced(function* (messages) {
              yield* Effect.yieldNow
              if (crashes === 0) return messages
              crashes -= 1
              return yield* Effect.die(new Error("crashed"))
            }),
            onPoison: (message) => Effect.succeed([message]),
            onDone: (messages) => done.push(...messages),
            batch_max: 2
          })
          const start = Effect.forkScoped(Effect.exit(Effect.retry(Effect.sandbox(run), { times: 1_000 })))
          const send = Effect.suspend(() => {
            const message: Message = { number: undefined }
            return mailbox.offer(message, () => (message.number = taken++))
          })
          const accounted = () => [...mailbox.held, ...done].map(({ number = -1 }) => number).sort((a, b) => a - b)
          const faults: Array<string> = []
          const look = Effect.sync(() => {
            const found = accounted()
            if (found.length !== taken || found.some((number, at) => number !== at)) faults.push(`${taken}: ${found}`)
          })
          yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.yieldNow)))

          let consumer = yield* start
          for (const { does, messages } of steps) {
            if (does === "send") {
              for (let left = messages; left > 0; left--) senders.push(yield* Effect.forkScoped(send))
            } else if (does === "giveUp") {
              for (const sender of senders.splice(-messages)) yield* Fiber.interrupt(sender)
            } else if (does === "crash") crashes += messages
            else if (does === "restart") {
              yield* Fiber.interrupt(consumer)
              consumer = yield* start
            }
            yield* someTurns(messages)
          }
          crashes = 0
          yield* someTurns(400)
          assert.deepStrictEqual(faults, [])
          assert.deepStrictEqual(mailbox.held, [])
          assert.strictEqual(done.length, taken)
        })
      ),
    { arbitrary: { runs: 100, size: 30 } }
  )
})
