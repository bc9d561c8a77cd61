import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Tracer } from "effect"
import { crashes_max, Mailbox, type Origin } from "../../src/actor/Mailbox.ts"

/** Runs everything that can run: each fiber until it waits. */
const settled = Effect.yieldNow.pipe(Effect.repeat({ times: 20 }))

/** A handler that notes each batch with its number, and crashes when a message is among those given. */
const makeNoting = <A>(crashing: ReadonlySet<A> = new Set()) => {
  const batches: Array<readonly [ReadonlyArray<A>, number]> = []
  const poison: Array<readonly [A, number]> = []
  const handle = (messages: ReadonlyArray<A>, { number }: Origin) =>
    Effect.suspend(() => {
      batches.push([messages, number])
      return messages.some((message) => crashing.has(message)) ? Effect.die("crash") : Effect.void
    })
  const onPoison = (message: A, { number }: Origin) => Effect.sync(() => void poison.push([message, number]))
  return { batches, poison, handle, onPoison }
}

describe("a full mailbox", () => {
  it.effect("that drops the oldest keeps the newest, never makes a sender wait, and counts what it let go", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "a", capacity: 3, policy: { _tag: "dropOldest" } })
      for (let message = 1; message <= 10; message++) assert.isTrue(yield* mailbox.offer(message))
      assert.deepStrictEqual(mailbox.counts, { offered: 10, taken: 0, poisoned: 0, dropped: 7, highWater: 3 })
      const { batches, ...handling } = makeNoting<number>()
      yield* mailbox.end
      yield* mailbox.consume({ ...handling, batch_max: 10 })
      assert.deepStrictEqual(batches, [[[8, 9, 10], 3]])
      assert.isFalse(yield* mailbox.offer(11))
      assert.deepStrictEqual(mailbox.counts, { offered: 10, taken: 3, poisoned: 0, dropped: 7, highWater: 3 })
    })
  )

  it.effect("that conflates keeps the newest of each key in the place of the first, and lets new keys wait", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<string>({
        actor: "a",
        capacity: 2,
        policy: { _tag: "conflate", key: (message) => message.slice(0, 1) }
      })
      for (const message of ["a1", "b1", "a2", "b2", "a3"]) yield* mailbox.offer(message)
      const third = yield* Effect.forkChild(mailbox.offer("c1"))
      yield* settled
      assert.isUndefined(third.pollUnsafe())
      assert.deepStrictEqual([mailbox.depth, mailbox.counts.dropped], [2, 3])
      const { batches, ...handling } = makeNoting<string>()
      const actor = yield* Effect.forkChild(mailbox.consume(handling))
      yield* settled
      yield* mailbox.offer("a4")
      yield* mailbox.end
      yield* Fiber.join(actor)
      assert.deepStrictEqual(
        batches.map(([messages]) => messages),
        [["a3"], ["b2"], ["c1"], ["a4"]]
      )
      assert.isTrue(yield* Fiber.join(third))
      assert.deepStrictEqual(mailbox.counts, { offered: 7, taken: 4, poisoned: 0, dropped: 3, highWater: 3 })
    })
  )

  it.effect("that conflates never touches the message in hand", () =>
    Effect.gen(function* () {
      const policy = { _tag: "conflate", key: () => "one" } as const
      const mailbox = yield* Mailbox.make<number>({ actor: "a", capacity: 2, policy })
      const seen: Array<number> = []
      const begin = mailbox.consume({
        handle: ([message]) =>
          Effect.suspend(() => {
            seen.push(message ?? 0)
            return seen.length === 1 ? Effect.never : Effect.void
          }),
        onPoison: () => Effect.void
      })
      yield* mailbox.offer(1)
      const stopped = yield* Effect.forkChild(begin)
      yield* settled
      yield* mailbox.offer(2)
      yield* mailbox.offer(3)
      yield* Fiber.interrupt(stopped)
      yield* mailbox.end
      yield* begin
      assert.deepStrictEqual(seen, [1, 1, 3])
    })
  )
})

describe("batches", () => {
  it.effect("hold at most what was asked for, in order, under the number of their last message", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "a", capacity: 10 })
      for (let message = 1; message <= 7; message++) yield* mailbox.offer(message)
      yield* mailbox.end
      const { batches, ...handling } = makeNoting<number>()
      yield* mailbox.consume({ ...handling, batch_max: 3 })
      assert.deepStrictEqual(batches, [
        [[1, 2, 3], 3],
        [[4, 5, 6], 6],
        [[7], 7]
      ])
    })
  )

  it.effect("are handed over again one by one after a crash, and only the message that crashes alone is poison", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "a", capacity: 10 })
      for (let message = 1; message <= 6; message++) yield* mailbox.offer(message)
      yield* mailbox.end
      const { batches, poison, ...handling } = makeNoting<number>(new Set([2]))
      const run = mailbox.consume({ ...handling, batch_max: 4 })
      for (let crash = 0; crash < 1 + crashes_max; crash++) assert.isTrue(Exit.hasDies(yield* Effect.exit(run)))
      assert.deepStrictEqual(poison, [])
      yield* run
      assert.deepStrictEqual(poison, [[2, 2]])
      assert.deepStrictEqual(batches, [
        [[1, 2, 3, 4], 4],
        [[1], 1],
        [[2], 2],
        [[2], 2],
        [[2], 2],
        [[3], 3],
        [[4], 4],
        [[5, 6], 6]
      ])
      assert.deepStrictEqual(mailbox.counts, { offered: 6, taken: 5, poisoned: 1, dropped: 0, highWater: 6 })
    })
  )
})

describe("the span of a handled batch", () => {
  const recorded = Effect.sync(() => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return { spans, traced: Effect.provideService(Tracer.Tracer, tracer) }
  })
  const handledOf = (spans: ReadonlyArray<Tracer.NativeSpan>) => spans.filter(({ name }) => name === "shard/3 handles")

  it.effect("is a child of the span in which its first message was sent, and is linked to the others", () =>
    Effect.gen(function* () {
      const { spans, traced } = yield* recorded
      yield* Effect.gen(function* () {
        const mailbox = yield* Mailbox.make<number>({ actor: "shard/3", capacity: 10 })
        yield* Effect.withSpan(Effect.andThen(mailbox.offer(1), mailbox.offer(2)), "sweep")
        yield* Effect.withSpan(mailbox.offer(3), "frames")
        yield* mailbox.offer(4)
        yield* mailbox.end
        yield* mailbox.consume({ handle: () => Effect.void, onPoison: () => Effect.void, batch_max: 10 })
      }).pipe(traced)
      const [span, ...others] = handledOf(spans)
      const idOf = (name: string) => spans.find((each) => each.name === name)?.spanId
      assert.deepStrictEqual(others, [])
      assert.strictEqual(span?.parent._tag === "Some" ? span.parent.value.spanId : undefined, idOf("sweep"))
      assert.deepStrictEqual(
        span?.links.map((link) => link.span.spanId),
        [idOf("frames")]
      )
      assert.deepStrictEqual([span?.kind, span?.attributes.get("messages")], ["consumer", 4])
    })
  )

  it.effect("has no parent when its messages were sent outside of any", () =>
    Effect.gen(function* () {
      const { spans, traced } = yield* recorded
      yield* Effect.gen(function* () {
        const mailbox = yield* Mailbox.make<number>({ actor: "shard/3", capacity: 10 })
        yield* mailbox.offer(1)
        yield* mailbox.end
        const run = mailbox.consume({ handle: () => Effect.void, onPoison: () => Effect.void })
        yield* Effect.withSpan(run, "whoever started the actor")
      }).pipe(traced)
      assert.deepStrictEqual(
        handledOf(spans).map(({ parent }) => parent._tag),
        ["None"]
      )
    })
  )

  it.effect("is not made where nobody traces", () =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<number>({ actor: "shard/3", capacity: 10 })
      yield* mailbox.offer(1)
      yield* mailbox.end
      const seen: Array<boolean> = []
      yield* mailbox.consume({
        handle: () => Effect.map(Effect.option(Effect.currentSpan), (span) => void seen.push(span._tag === "Some")),
        onPoison: () => Effect.void
      })
      assert.deepStrictEqual(seen, [false])
    })
  )
})
