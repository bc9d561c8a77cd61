import { Clock, Context, Effect, Layer, PubSub, Stream } from "effect"
import { type ActorState, type LifecycleEvent, transition } from "./Lifecycle.ts"
import type { MailboxGauge } from "./Mailbox.ts"

export type { ActorState } from "./Lifecycle.ts"

export interface ActorStatus {
  /** A path: `shard/3`, `account/main/stream`. */
  readonly name: string
  readonly state: ActorState
  readonly sinceMs: number
  readonly restarts: number
  readonly lastError?: string
  /** Messages waiting or in hand; absent for actors without a mailbox. */
  readonly mailboxDepth?: number
  readonly mailboxCapacity?: number
  readonly mailboxHighWater?: number
  /** Messages a full mailbox let go of. */
  readonly mailboxDropped?: number
}

interface Entry {
  state: ActorState
  sinceMs: number
  runs: number
  lastError: string | undefined
  mailbox: MailboxGauge | undefined
}

/** A reader of the changes that falls behind further than this misses the oldest; the snapshot has the truth. */
const waitingChanges = 256

const statusOf = (name: string, { lastError, mailbox, runs, sinceMs, state }: Entry): ActorStatus => ({
  name,
  state,
  sinceMs,
  restarts: Math.max(0, runs - 1),
  ...(lastError === undefined ? {} : { lastError }),
  ...(mailbox === undefined
    ? {}
    : {
        mailboxDepth: mailbox.depth,
        mailboxCapacity: mailbox.capacity,
        mailboxHighWater: mailbox.counts.highWater,
        mailboxDropped: mailbox.counts.dropped
      })
})

/** Every actor's state at any time, kept by the supervisor, read by health, metrics and the page. */
export class ActorTree extends Context.Service<ActorTree>()("observer/actor/ActorTree", {
  make: Effect.gen(function* () {
    const entries = new Map<string, Entry>()
    const changes = yield* PubSub.sliding<ActorStatus>(waitingChanges)

    const turn = Effect.fnUntraced(function* (name: string, event: LifecycleEvent, lastError?: string) {
      const entry = entries.get(name)
      const state = entry && transition(entry.state, event)
      if (entry === undefined || state === undefined) {
        return yield* Effect.die(new Error(`${event._tag} cannot happen to ${name}, which is ${entry?.state._tag}`))
      }
      if (state._tag === "running") entry.runs += 1
      entry.state = state
      entry.sinceMs = yield* Clock.currentTimeMillis
      if (lastError !== undefined) entry.lastError = lastError
      PubSub.publishUnsafe(changes, statusOf(name, entry))
    })

    return {
      /** Takes a name for an actor; one that stopped leaves it to the next, with a history of its own. */
      enter: Effect.fnUntraced(function* (name: string, mailbox?: MailboxGauge) {
        const { state = { _tag: "stopped" } satisfies ActorState } = entries.get(name) ?? {}
        entries.set(name, { state, sinceMs: 0, runs: 0, lastError: undefined, mailbox })
        yield* turn(name, { _tag: "Begin" })
      }),
      /** Dies when the event cannot happen to the actor in its state. */
      turn,
      stateOf: (name: string): ActorState | undefined => entries.get(name)?.state,
      snapshot: Effect.sync((): ReadonlyArray<ActorStatus> =>
        [...entries].map(([name, entry]) => statusOf(name, entry))
      ),
      /** Each actor's status whenever its state has changed, from the subscription on. */
      changes: Stream.fromPubSub(changes)
    }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
