import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Queue } from "effect"
import { crashes_max, Mailbox } from "../../src/actor/Mailbox.ts"
import { singly } from "./singly.ts"

const nobody = () => Effect.die("no message is poison here")

/** A handler that lets one message through for each permit it is given. */
const makeGate = Effect.gen(function* () {
  const handled: Array<number> = []
  const permits = yield* Queue.bounded<"pass" | "crash">(16)
  const handle = (message: number) =>
    Effect.flatMap(Queue.take(permits), (permit) =>
      permit === "crash" ? Effect.fail(`crashed on ${message}`) : Effect.sync(() => void handled.push(message))
    )
  return { handled, handle, permits }
})

/** Runs everything that can run: each fiber until it waits. */
const settled = Effect.yieldNow.pipe(Effect.repeat({ times: 20 }))

describe("a mailbox", () => {
  it.effect("holds its capacity and the message in hand; one offer more waits until one is handled", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 3 })
      const { handle, handled, permits } = yield* makeGate
      yield* Effect.forkChild(mailbox.consume(singly(handle, nobody)))
      yield* settled
      let accepted = 0
      const sender = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (message) =>
        Effect.tap(mailbox.offer(message), () => Effect.sync(() => (accepted += 1)))
      ).pipe(Effect.forkChild)
      yield* settled
      assert.deepStrictEqual([accepted, mailbox.depth, handled.length], [4, 4, 0])
      for (const [index, expected] of [5, 6, 6].entries()) {
        yield* Queue.offer(permits, "pass")
        yield* settled
        assert.deepStrictEqual([accepted, handled.length], [expected, index + 1])
      }
      yield* Fiber.join(sender)
      assert.deepStrictEqual(mailbox.counts, { offered: 6, taken: 3, poisoned: 0, dropped: 0, highWater: 4 })
    })
  )

  it.effect("without a consumer takes exactly its capacity", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 3 })
      yield* Effect.forEach([1, 2, 3], (message) => mailbox.offer(message))
      const fourth = yield* Effect.forkChild(mailbox.offer(4))
      yield* settled
      assert.isUndefined(fourth.pollUnsafe())
      assert.strictEqual(mailbox.depth, 3)
      yield* Fiber.interrupt(fourth)
      yield* mailbox.end
      const handled: Array<number> = []
      yield* mailbox.consume(singly((message) => Effect.sync(() => void handled.push(message)), nobody))
      assert.deepStrictEqual(handled, [1, 2, 3])
    })
  )

  it.effect("hands the message over again after a crash, before every later one", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 4 })
      yield* Effect.forEach([1, 2, 3], (message) => mailbox.offer(message))
      const { handle, handled, permits } = yield* makeGate
      yield* Queue.offerAll(permits, ["pass", "crash"])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(mailbox.consume(singly(handle, nobody)))))
      assert.deepStrictEqual([handled, mailbox.depth], [[1], 2])
      yield* Queue.offerAll(permits, ["pass", "pass"])
      yield* mailbox.end
      yield* mailbox.consume(singly(handle, nobody))
      assert.deepStrictEqual(handled, [1, 2, 3])
      assert.deepStrictEqual(mailbox.counts, { offered: 3, taken: 3, poisoned: 0, dropped: 0, highWater: 3 })
    })
  )

  it.effect("counts a defect as a crash, and three crashes in a row as poison", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<string>({ actor: "test", capacity: 4 })
      yield* mailbox.offer("bad")
      yield* mailbox.offer("good")
      yield* mailbox.end
      const seen: Array<string> = []
      const poison: Array<string> = []
      const consume = mailbox.consume(
        singly(
          (message) =>
            Effect.sync(() => {
              seen.push(message)
              if (message === "bad") throw new Error("bad")
            }),
          (message) => Effect.sync(() => void poison.push(message))
        )
      )
      for (let crash = 1; crash <= crashes_max; crash++) {
        assert.isTrue(Exit.hasDies(yield* Effect.exit(consume)))
        assert.deepStrictEqual(poison, [])
      }
      yield* consume
      assert.deepStrictEqual(poison, ["bad"])
      assert.deepStrictEqual(seen, ["bad", "bad", "bad", "good"])
      assert.deepStrictEqual(mailbox.counts, { offered: 2, taken: 1, poisoned: 1, dropped: 0, highWater: 2 })
      assert.strictEqual(mailbox.depth, 0)
    })
  )

  it.effect("does not hold it against a message that its actor was stopped, however often", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 1 })
      yield* mailbox.offer(1)
      for (let stop = 0; stop < crashes_max + 1; stop++) {
        const begun = yield* Deferred.make<void>()
        const actor = yield* mailbox
          .consume(singly(() => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never), nobody))
          .pipe(Effect.forkChild)
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(actor)
      }
      const handled: Array<number> = []
      yield* mailbox.end
      yield* mailbox.consume(singly((message) => Effect.sync(() => void handled.push(message)), nobody))
      assert.deepStrictEqual(handled, [1])
    })
  )

  it.effect("keeps a poisoned message until it has been set aside", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 1 })
      yield* mailbox.offer(1)
      const crash = mailbox.consume(
        singly(
          () => Effect.fail("crash"),
          () => Effect.die("the journal is not there")
        )
      )
      for (let run = 0; run < crashes_max + 3; run++) assert.isTrue(Exit.isFailure(yield* Effect.exit(crash)))
      const poison: Array<number> = []
      yield* mailbox.end
      yield* mailbox.consume(
        singly(
          () => Effect.die("poison is not handled"),
          (message) => Effect.sync(() => void poison.push(message))
        )
      )
      assert.deepStrictEqual(poison, [1])
    })
  )

  it.effect("once ended refuses offers, drains what waits, senders that waited included, and returns", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 2 })
      yield* mailbox.offer(1)
      yield* mailbox.offer(2)
      const waiting = yield* Effect.forkChild(mailbox.offer(3))
      yield* settled
      yield* mailbox.end
      assert.isFalse(yield* mailbox.offer(4))
      const handled: Array<number> = []
      yield* mailbox.consume(singly((message) => Effect.sync(() => void handled.push(message)), nobody))
      assert.isTrue(yield* Fiber.join(waiting))
      assert.deepStrictEqual(handled, [1, 2, 3])
      assert.isFalse(yield* mailbox.offer(5))
      yield* mailbox.consume(singly(nobody, nobody))
      assert.deepStrictEqual([mailbox.counts.offered, mailbox.counts.taken, mailbox.depth], [3, 3, 0])
    })
  )

  it.effect("ended while its actor waits ends the actor", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "test", capacity: 2 })
      const actor = yield* Effect.forkChild(mailbox.consume(singly(nobody, nobody)))
      yield* settled
      yield* mailbox.end
      yield* Fiber.join(actor)
    })
  )
})
