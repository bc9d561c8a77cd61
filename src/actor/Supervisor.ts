import { Cause, Clock, Context, Data, Deferred, Effect, Exit, FiberMap, Layer, Random } from "effect"
import { ActorTree } from "./ActorTree.ts"
import { fresh, next, type RestartPolicy } from "./RestartPolicy.ts"

/** An actor whose restart budget is spent and whose policy ends the tree. */
export class ActorExhausted extends Data.TaggedError("ActorExhausted")<{
  readonly actor: string
  readonly reason: string
}> {
  override get message() {
    return `the actor ${this.actor} failed too often and cannot go on: ${this.reason}`
  }
}

export interface ChildSpec<E, R> {
  readonly name: string
  /** `permanent` runs again whenever it ends, `transient` only when it failed, `temporary` never. */
  readonly kind: "permanent" | "transient" | "temporary"
  readonly policy: RestartPolicy
  readonly mailbox?: { readonly depth: number; readonly capacity: number }
  readonly run: Effect.Effect<void, E, R>
}

/**
 * Runs actors, one fiber each, and holds policy only: what an actor does is its own affair, whether it runs again is
 * decided here. One-for-one: no actor feels another's crash. Failures and defects count alike; interruption is
 * shutdown and counts as nothing. When the layer's scope closes, every actor is interrupted.
 */
export class Supervisor extends Context.Service<
  Supervisor,
  {
    /** Starts an actor; one that runs under the same name is stopped first. */
    start<E, R>(spec: ChildSpec<E, R>): Effect.Effect<void, never, R>
    /** Interrupts the actor and waits until it has ended. */
    stop(name: string): Effect.Effect<void>
    /** Waits until the actor has ended by itself: a drained mailbox, a closed journal. */
    ended(name: string): Effect.Effect<void>
    /** Fails once an actor's budget is spent and its policy is to escalate; else never returns. */
    readonly escalated: Effect.Effect<never, ActorExhausted>
  }
>()("observer/actor/Supervisor") {
  static readonly layerNoDeps = Layer.effect(
    Supervisor,
    Effect.gen(function* () {
      const tree = yield* ActorTree
      const fibers = yield* FiberMap.make<string, void, never>()
      const escalated = yield* Deferred.make<never, ActorExhausted>()
      const endings = new Map<string, Deferred.Deferred<void>>()

      const supervise = Effect.fnUntraced(function* <E, R>(spec: ChildSpec<E, R>) {
        const { kind, name, policy } = spec
        let standing = fresh
        while (true) {
          yield* tree.turn(name, { _tag: "running" })
          const startedMs = yield* Clock.currentTimeMillis
          const exit = yield* Effect.exit(spec.run)
          const nowMs = yield* Clock.currentTimeMillis
          if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
          if (Exit.isSuccess(exit) && kind !== "permanent") return
          const cause = Exit.isFailure(exit)
            ? exit.cause
            : Cause.die(new Error("it ended though it should run for ever"))
          const reason = reasonOf(cause)
          if (kind === "temporary") {
            yield* tree.turn(name, { _tag: "stopped" }, reason)
            return yield* Effect.logError(`actor ${name} failed`, { reason })
          }
          const random = yield* Random.next
          const outcome = next(policy, standing, { nowMs, ran_ms: nowMs - startedMs, random })
          standing = outcome.standing
          const { decision } = outcome
          if (decision._tag === "Escalate") {
            yield* tree.turn(name, { _tag: "stopped" }, reason)
            yield* Effect.logError(`actor ${name} failed and its restarts are spent`, cause)
            yield* Deferred.fail(escalated, new ActorExhausted({ actor: name, reason }))
            return
          }
          if (decision._tag === "Restart") {
            const { after_ms } = decision
            yield* Effect.logWarning(`actor ${name} failed and is started again`, { reason, after_ms })
            yield* Effect.logDebug(`actor ${name}`, cause)
            yield* tree.turn(name, { _tag: "backingOff", attempt: standing.streak, untilMs: nowMs + after_ms }, reason)
            yield* Effect.sleep(after_ms)
          } else {
            const { for_ms } = decision
            yield* Effect.logError(`actor ${name} failed too often and rests`, { reason, for_ms })
            yield* tree.turn(name, { _tag: "parked", cause: reason, untilMs: nowMs + for_ms }, reason)
            yield* Effect.sleep(for_ms)
          }
        }
      })

      const start = Effect.fnUntraced(function* <E, R>(spec: ChildSpec<E, R>) {
        // A name belongs to one fiber: the one before it has ended, its finalizers too, before the next begins.
        yield* FiberMap.remove(fibers, spec.name)
        const ending = Deferred.makeUnsafe<void>()
        endings.set(spec.name, ending)
        yield* tree.enter(spec.name, spec.mailbox)
        const whole = supervise(spec).pipe(
          Effect.ensuring(
            Effect.andThen(tree.turn(spec.name, { _tag: "stopped" }), Deferred.succeed(ending, undefined))
          ),
          Effect.annotateLogs({ actor: spec.name })
        )
        yield* FiberMap.run(fibers, spec.name, whole)
      })

      return Supervisor.of({
        start,
        stop: (name) => FiberMap.remove(fibers, name),
        ended: (name) =>
          Effect.suspend(() => {
            const ending = endings.get(name)
            return ending === undefined ? Effect.void : Deferred.await(ending)
          }),
        escalated: Deferred.await(escalated)
      })
    })
  )
  static readonly layer = this.layerNoDeps.pipe(Layer.provideMerge(ActorTree.layer))
}

/** One line for the log and the tree. */
const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message || error.name : String(error)
}
