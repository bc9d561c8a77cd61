import { Cause, Effect, Pull, Queue } from "effect"

export interface MailboxCounters {
  readonly offered: number
  /** Handled and acknowledged. */
  readonly taken: number
  /** Given up as poison. */
  readonly poisoned: number
  readonly highWater: number
}

/** A message that crashed its handler so often in a row is poison. */
export const crashes_max = 3

/**
 * The bounded inbox of one actor. It belongs to the actor's name, not to its fiber, so it survives a restart; when it
 * is full, senders wait. A message stays in hand until its handler has returned: if the actor crashes, the next run is
 * handed the same message again, and after three crashes in a row it goes to `onPoison` instead.
 */
export class Mailbox<A> {
  readonly capacity: number
  private readonly queue: Queue.Queue<A, Cause.Done>
  private inHand: InHand<A> | undefined
  private counters = { offered: 0, taken: 0, poisoned: 0, highWater: 0 }

  private constructor(capacity: number, queue: Queue.Queue<A, Cause.Done>) {
    this.capacity = capacity
    this.queue = queue
  }

  static make<A>(capacity: number): Effect.Effect<Mailbox<A>> {
    return Effect.map(Queue.bounded<A, Cause.Done>(capacity), (queue) => new Mailbox(capacity, queue))
  }

  /** Suspends while the mailbox is full. `false` when it has been ended and takes nothing more. */
  offer(message: A): Effect.Effect<boolean> {
    return Effect.map(Queue.offer(this.queue, message), (accepted) => {
      if (accepted) {
        this.counters.offered += 1
        this.markDepth()
      }
      return accepted
    })
  }

  /** Messages waiting or in hand. */
  get depth(): number {
    return Queue.sizeUnsafe(this.queue) + (this.inHand === undefined ? 0 : 1)
  }

  get counts(): MailboxCounters {
    return { ...this.counters }
  }

  /** No further message is taken in; those inside are still handled, then `consume` returns. */
  get end(): Effect.Effect<void> {
    return Effect.asVoid(Queue.end(this.queue))
  }

  /** Take, handle, acknowledge, until the mailbox has been ended and is empty. Fails when the handler does. */
  consume<E, R, R2>(
    handle: (message: A) => Effect.Effect<void, E, R>,
    onPoison: (message: A) => Effect.Effect<void, never, R2>
  ): Effect.Effect<void, E, R | R2> {
    const one = Effect.gen({ self: this }, function* () {
      const inHand = (this.inHand ??= yield* this.take)
      if (inHand === undefined) return false
      this.markDepth()
      if (inHand.crashes >= crashes_max) {
        yield* onPoison(inHand.message)
        this.counters.poisoned += 1
      } else {
        // Interruption is a stop of the actor and says nothing against the message.
        yield* Effect.onError(handle(inHand.message), (cause) =>
          Effect.sync(() => {
            if (!Cause.hasInterruptsOnly(cause)) inHand.crashes += 1
          })
        )
        this.counters.taken += 1
      }
      this.inHand = undefined
      return true
    })
    return Effect.asVoid(Effect.repeat(one, { while: (more) => more }))
  }

  private markDepth(): void {
    this.counters.highWater = Math.max(this.counters.highWater, this.depth)
  }

  private get take(): Effect.Effect<InHand<A> | undefined> {
    return Queue.take(this.queue).pipe(
      Effect.map((message): InHand<A> | undefined => ({ message, crashes: 0 })),
      Pull.catchDone(() => Effect.undefined)
    )
  }
}

interface InHand<A> {
  readonly message: A
  crashes: number
}
