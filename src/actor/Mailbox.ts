import { type Cause, Effect, MutableList, Queue, type Tracer } from "effect"
import { inSpanFor, spanOf } from "./inSpan.ts"

/** What a full mailbox does with one message more. */
export type FullPolicy<A> =
  /** The sender waits. Nothing is ever lost. */
  | { readonly _tag: "suspend" }
  /** The message that has waited longest makes room, and is counted. For news that a newer one makes worthless. */
  | { readonly _tag: "dropOldest" }
  /** A newer message takes the place of the waiting one with its key; senders of new keys wait. */
  | { readonly _tag: "conflate"; readonly key: (message: A) => string }

export interface MailboxCounters {
  /** Taken in. */
  readonly offered: number
  /** Handled and acknowledged. */
  readonly taken: number
  /** Given up as poison. */
  readonly poisoned: number
  /** Let go of unhandled, as the policy says: pushed out by or replaced with a newer one. */
  readonly dropped: number
  readonly highWater: number
}

/** What a tree shows of a mailbox. */
export interface MailboxGauge {
  readonly capacity: number
  /** Messages waiting or in hand. */
  readonly depth: number
  readonly counts: MailboxCounters
}

/**
 * Who hands messages on, and which: `number` is that of the last one, and numbers only rise. Whoever receives both can
 * tell a message handed over again from a new one, which makes handling it twice write once.
 */
export interface Origin {
  readonly producer: string
  readonly number: number
}

export interface MailboxOptions<A> {
  /** The actor's name, in its spans and as the producer of what it writes. */
  readonly actor: string
  readonly capacity: number
  readonly policy?: FullPolicy<A>
}

export interface Handling<A, E, R, R2, B = void> {
  readonly handle: (messages: ReadonlyArray<A>, origin: Origin) => Effect.Effect<B, E, R>
  /** Sets a message aside that crashed the actor `crashes_max` times in a row. */
  readonly onPoison: (message: A, origin: Origin) => Effect.Effect<B, never, R2>
  /**
   * Told what came of messages in the very step in which they are let go of, so that whoever counts what is held and what
   * is done sees each message in one of the two.
   */
  readonly onDone?: (result: B) => void
  /** Messages handled in one go; 1 when not said. */
  readonly batch_max?: number
}

/** A message that crashed its handler so often in a row is poison. */
export const crashes_max = 3

/**
 * The bounded inbox of one actor. It belongs to the actor's name, not to its fiber, so it survives a restart. Messages
 * stay in hand until their handler has returned: if the actor crashes, the next run is handed the same ones again, one
 * by one, so that a message that crashes it is known; after three crashes in a row it goes to `onPoison` instead.
 */
export class Mailbox<A> implements MailboxGauge {
  readonly actor: string
  readonly capacity: number
  private readonly policy: FullPolicy<A>
  private readonly queue: Queue.Queue<Waiting<A>, Cause.Done>
  /** What waits, by its key, in a mailbox that conflates. */
  private readonly byKey = new Map<string, Envelope<A>>()
  /** False while every message ever taken in was bare, so that nobody need look. */
  private hasEnvelopes = false
  private inHand: ReadonlyArray<Waiting<A>> = []
  /** Crashes in a row of the first message in hand. */
  private crashes = 0
  private offered = 0
  private handed = 0
  private poisoned = 0
  private dropped = 0
  private highWater = 0

  private constructor(options: MailboxOptions<A>, queue: Queue.Queue<Waiting<A>, Cause.Done>) {
    this.actor = options.actor
    this.capacity = options.capacity
    this.policy = options.policy ?? { _tag: "suspend" }
    this.queue = queue
  }

  static make<A>(options: MailboxOptions<A>): Effect.Effect<Mailbox<A>> {
    const strategy = options.policy?._tag === "dropOldest" ? "sliding" : "suspend"
    return Effect.map(
      Queue.make<Waiting<A>, Cause.Done>({ capacity: options.capacity, strategy }),
      (queue) => new Mailbox(options, queue)
    )
  }

  /**
   * Suspends while the mailbox is full and its policy says so. `false` when it has been ended and takes nothing more.
   * `onTaken` is called in the step in which the message comes in, which is later when its sender had to wait.
   */
  offer(message: A, onTaken?: () => void): Effect.Effect<boolean> {
    return Effect.withFiber((fiber) => {
      const sender = spanOf(fiber)
      if (this.policy._tag === "conflate") {
        return this.offerConflating(message, sender, this.policy.key(message), onTaken)
      }
      const waiting = sender === undefined ? message : this.wrapped(message, sender)
      const isDropping = this.policy._tag === "dropOldest" && Queue.isFullUnsafe(this.queue)
      if (!Queue.offerUnsafe(this.queue, waiting)) return this.offerWaiting(waiting, onTaken)
      onTaken?.()
      this.offered += 1
      if (isDropping) this.dropped += 1
      return accepted
    })
  }

  /** The messages that are here at this moment: waiting and in hand. Those whose senders wait for room are not. */
  get held(): ReadonlyArray<A> {
    const waiting: ReadonlyArray<Waiting<A>> = MutableList.toArray(this.queue.messages)
    return [...this.inHand, ...waiting].map(messageOf)
  }

  get depth(): number {
    return Queue.sizeUnsafe(this.queue) + this.inHand.length
  }

  get counts(): MailboxCounters {
    this.markDepth()
    const { dropped, handed, highWater, offered, poisoned } = this
    return { offered, taken: handed - this.inHand.length - poisoned, poisoned, dropped, highWater }
  }

  /** No further message is taken in; those inside are still handled, then `consume` returns. */
  get end(): Effect.Effect<void> {
    return Effect.asVoid(Queue.end(this.queue))
  }

  /** Take, handle, acknowledge, until the mailbox has been ended and is empty. Fails when the handler does. */
  consume<E, R, R2, B = void>(handling: Handling<A, E, R, R2, B>): Effect.Effect<void, E, R | R2> {
    return Effect.suspend(() => {
      const { batch_max = 1 } = handling
      // What a crash left in hand is handed over one by one.
      let suspects = this.inHand.length
      let isEnded = false
      const first = Effect.matchEager(Queue.peek(this.queue), {
        onSuccess: () => undefined,
        onFailure: () => {
          isEnded = true
        }
      })
      const take = Effect.suspend(() => (this.take(batch_max) ? Effect.void : first))
      return Effect.whileLoop<void, E, R | R2>({
        while: () => !isEnded,
        body: () => (this.inHand.length === 0 ? take : this.handOver(handling, suspects > 0 ? 1 : batch_max)),
        step: () => {
          if (suspects > 0) suspects -= 1
        }
      })
    })
  }

  /**
   * Takes what waits into the hand; `false` when nothing does. In one step: between two, an interruption would find
   * messages that are neither in the queue nor in hand.
   */
  private take(most: number): boolean {
    const batch = this.takeUpTo(most)
    if (batch.length === 0) return false
    this.inHand = batch
    this.crashes = 0
    this.handed += batch.length
    this.markDepth()
    if (this.policy._tag === "conflate") {
      for (const waiting of batch) if (waiting instanceof Envelope) this.forget(waiting)
    }
    return true
  }

  private takeUpTo(most: number): ReadonlyArray<Waiting<A>> {
    const { messages, state } = this.queue
    // While nobody waits for the room there is nobody to be told of it: all at once costs half of one by one.
    if (state._tag === "Open" && state.offers.size === 0) return MutableList.takeN(messages, most)
    const batch: Array<Waiting<A>> = []
    while (batch.length < most) {
      const taken = Queue.takeUnsafe(this.queue)
      if (taken?._tag !== "Success") break
      batch.push(taken.value)
    }
    return batch
  }

  /** Handles what is in hand, at most so many at once, and lets go of it once that has succeeded. */
  private handOver<E, R, R2, B>(
    { handle, onDone, onPoison }: Handling<A, E, R, R2, B>,
    batch_max: number
  ): Effect.Effect<B | void, E, R | R2> {
    return Effect.withFiber(({ cache, id }) => {
      const batch = batch_max < this.inHand.length ? this.inHand.slice(0, batch_max) : this.inHand
      const messages = this.hasEnvelopes ? batch.map(messageOf) : (batch as ReadonlyArray<A>)
      const [first] = messages
      if (first === undefined && messages.length === 0) return Effect.void
      const isPoison = this.crashes >= crashes_max
      const origin: Origin = { producer: this.actor, number: this.handed - this.inHand.length + batch.length }
      const work: Effect.Effect<B, E, R | R2> = isPoison ? onPoison(first as A, origin) : handle(messages, origin)
      return Effect.onExitPrimitive(cache.tracer === undefined ? work : this.traced(work, batch), (exit) => {
        if (exit._tag === "Success") {
          this.letGo(batch.length, isPoison)
          onDone?.(exit.value)
        } else if (!isStop(exit.cause, id)) this.suspect(batch.length)
        return undefined
      })
    })
  }

  private letGo(count: number, isPoison: boolean): void {
    if (isPoison) this.poisoned += count
    this.inHand = count === this.inHand.length ? [] : this.inHand.slice(count)
    this.crashes = 0
  }

  /** Counts a crash against the message that was handled alone; of several, nobody knows which it was. */
  private suspect(count: number): void {
    if (count === 1) this.crashes += 1
  }

  /** The batch in a span of its own, under the one in which its first message was sent that is part of a kept trace. */
  private traced<B, E, R>(work: Effect.Effect<B, E, R>, batch: ReadonlyArray<Waiting<A>>): Effect.Effect<B, E, R> {
    const senders = batch.map((waiting) => (waiting instanceof Envelope ? waiting.sender : undefined))
    const details = { kind: "consumer", attributes: { messages: batch.length } } as const
    return inSpanFor(senders, work, `${this.actor} handles`, details)
  }

  private wrapped(message: A, sender: Tracer.AnySpan | undefined, key?: string): Envelope<A> {
    this.hasEnvelopes = true
    return new Envelope(message, sender, key)
  }

  private offerWaiting(waiting: Waiting<A>, onTaken?: () => void): Effect.Effect<boolean> {
    // The queue resumes a sender that waits in the step in which it takes the message.
    return Effect.map(Queue.offer(this.queue, waiting), (isTaken) => {
      if (isTaken) {
        onTaken?.()
        this.offered += 1
      }
      return isTaken
    })
  }

  /** Puts a message in the place of the waiting one with its key; else it waits like any other. */
  private offerConflating(
    message: A,
    sender: Tracer.AnySpan | undefined,
    key: string,
    onTaken?: () => void
  ): Effect.Effect<boolean> {
    const waiting = this.byKey.get(key)
    if (waiting !== undefined) {
      onTaken?.()
      waiting.message = message
      waiting.sender = sender
      this.offered += 1
      this.dropped += 1
      return accepted
    }
    const envelope = this.wrapped(message, sender, key)
    return Effect.map(this.offerWaiting(envelope, onTaken), (isTaken) => {
      // A sender that had to wait may come here when the actor already has its message in hand.
      if (isTaken && envelope.isWaiting && !this.byKey.has(key)) this.byKey.set(key, envelope)
      return isTaken
    })
  }

  private forget(envelope: Envelope<A>): void {
    envelope.isWaiting = false
    if (envelope.key !== undefined && this.byKey.get(envelope.key) === envelope) this.byKey.delete(envelope.key)
  }

  /** Called whenever the depth is about to fall, so nothing need be counted when it rises. */
  private markDepth(): void {
    const { depth } = this
    if (depth > this.highWater) this.highWater = depth
  }
}

/** A message as it waits: bare, unless there is something to remember of it. */
type Waiting<A> = A | Envelope<A>

class Envelope<A> {
  message: A
  sender: Tracer.AnySpan | undefined
  readonly key: string | undefined
  isWaiting = true

  constructor(message: A, sender: Tracer.AnySpan | undefined, key?: string) {
    this.message = message
    this.sender = sender
    this.key = key
  }
}

const messageOf = <A>(waiting: Waiting<A>): A => (waiting instanceof Envelope ? waiting.message : waiting)
const accepted = Effect.succeed(true)

/** Interruption by another fiber is a stop of the actor and says nothing against its messages; by its own it is a crash. */
const isStop = (cause: Cause.Cause<unknown>, fiberId: number): boolean =>
  cause.reasons.every((reason) => reason._tag === "Interrupt" && reason.fiberId !== fiberId)
