import { Effect, Metric } from "effect"
import type { ActorStatus } from "../../actor/ActorTree.ts"
import { raiseTo } from "./raiseTo.ts"

const depth = Metric.gauge("observer_actor_mailbox_depth", {
  description: "Messages waiting for an actor or in its hand"
})
const parked = Metric.gauge("observer_actor_parked", { description: "1 while an actor rests after too many failures" })
const restarts = Metric.counter("observer_actor_restarts_total", {
  description: "Restarts of an actor",
  incremental: true
})
const dropped = Metric.counter("observer_actor_mailbox_dropped_total", {
  description: "Messages that a full mailbox let go of, as its policy says",
  incremental: true
})

/** Writes what the tree knows into the metrics, one series an actor: their number is that of the parts of the program. */
export const refreshActorMeters = Effect.fnUntraced(function* (actors: ReadonlyArray<ActorStatus>) {
  for (const { mailboxDepth, mailboxDropped, name, restarts: count, state } of actors) {
    const labels = { actor: name }
    yield* Metric.update(Metric.withAttributes(parked, labels), state._tag === "parked" ? 1 : 0)
    yield* raiseTo(Metric.withAttributes(restarts, labels), count)
    if (mailboxDepth !== undefined) yield* Metric.update(Metric.withAttributes(depth, labels), mailboxDepth)
    if (mailboxDropped !== undefined) yield* raiseTo(Metric.withAttributes(dropped, labels), mailboxDropped)
  }
})
