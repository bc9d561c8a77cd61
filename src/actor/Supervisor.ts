import { Cause, Clock, Context, Data, Deferred, Effect, Exit, FiberMap, Layer, Option, Random } from "effect"
import { ActorTree } from "./ActorTree.ts"
import type { MailboxGauge } from "./Mailbox.ts"
import { fresh, next, type RestartPolicy, type Standing } from "./RestartPolicy.ts"
import { type Member, RestForOne } from "./RestForOne.ts"

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
  /** A path: its first part is what a shutdown names it by. */
  readonly name: string
  /** `permanent` runs again whenever it ends, `transient` only when it failed, `temporary` never. */
  readonly kind: "permanent" | "transient" | "temporary"
  readonly policy: RestartPolicy
  readonly mailbox?: MailboxGauge
  /** Rest-for-one: when an actor of the group falls, those started after it stop, and run again after it does. */
  readonly group?: string
  readonly run: Effect.Effect<void, E, R>
  /** How it is asked to end when the tree shuts down: to drain its mailbox, to close its file. Else it is interrupted. */
  readonly drain?: Effect.Effect<void>
}

export interface Shutdown {
  /** First parts of names, in the order in which they end; what is not named ends last. */
  readonly order: ReadonlyArray<string>
  /** What has not ended by then is interrupted. */
  readonly deadline_ms: number
}

/**
 * Runs actors, one fiber each, and holds policy only: what an actor does is its own affair, whether it runs again is
 * decided here. One-for-one unless it is in a group: no actor feels another's crash. Failures and defects count alike;
 * the interruption that ends an actor counts as nothing. When the layer's scope closes, every actor is interrupted.
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
    /** Ends all actors, stage by stage; gives the names of those that had to be cut off. */
    shutdown(how: Shutdown): Effect.Effect<ReadonlyArray<string>>
    /** Fails once an actor's budget is spent and its policy is to escalate; else never returns. */
    readonly escalated: Effect.Effect<never, ActorExhausted>
  }
>()("observer/actor/Supervisor") {
  static readonly layerNoDeps = Layer.effect(
    Supervisor,
    Effect.suspend(() => make)
  )
  static readonly layer = this.layerNoDeps.pipe(Layer.provideMerge(ActorTree.layer))
}

interface Child {
  readonly ending: Deferred.Deferred<void>
  readonly drain: Effect.Effect<void> | undefined
  /** Whether it has been asked to end: an interruption that nobody asked for is a failure like any other. */
  isAskedToEnd: boolean
}

const make = Effect.gen(function* () {
  const tree = yield* ActorTree
  const fibers = yield* FiberMap.make<string, void, never>()
  const escalated = yield* Deferred.make<never, ActorExhausted>()
  const children = new Map<string, Child>()
  yield* Effect.addFinalizer(() => Effect.sync(() => children.forEach((child) => (child.isAskedToEnd = true))))
  const groups = new Map<string, RestForOne>()

  /** Decides after a failure; `true` when the actor is to run again, and its wait is over. */
  const judge = Effect.fnUntraced(function* (
    { kind, name, policy }: ChildSpec<unknown, unknown>,
    memory: { standing: Standing },
    failure: { readonly cause: Cause.Cause<unknown>; readonly startedMs: number }
  ) {
    const { cause, startedMs } = failure
    const reason = reasonOf(cause)
    if (kind === "temporary") {
      yield* tree.turn(name, { _tag: "Stop" }, reason)
      yield* Effect.logError(`actor ${name} failed`, { reason })
      return false
    }
    const nowMs = yield* Clock.currentTimeMillis
    const random = yield* Random.next
    const { decision, standing } = next(policy, memory.standing, { nowMs, ran_ms: nowMs - startedMs, random })
    memory.standing = standing
    switch (decision._tag) {
      case "Escalate": {
        yield* tree.turn(name, { _tag: "Stop" }, reason)
        yield* Effect.logError(`actor ${name} failed and its restarts are spent`, cause)
        yield* Deferred.fail(escalated, new ActorExhausted({ actor: name, reason }))
        return false
      }
      case "Restart": {
        const { after_ms } = decision
        yield* Effect.logWarning(`actor ${name} failed and is started again`, { reason, after_ms })
        yield* Effect.logDebug(`actor ${name}`, cause)
        yield* tree.turn(name, { _tag: "BackOff", attempt: standing.streak, untilMs: nowMs + after_ms }, reason)
        yield* Effect.sleep(after_ms)
        return true
      }
      case "Park": {
        const { for_ms } = decision
        yield* Effect.logError(`actor ${name} failed too often and rests`, { reason, for_ms })
        yield* tree.turn(name, { _tag: "Park", cause: reason, untilMs: nowMs + for_ms }, reason)
        yield* Effect.sleep(for_ms)
        return true
      }
    }
  })

  const supervise = Effect.fnUntraced(function* <E, R>(spec: ChildSpec<E, R>, child: Child, member?: Member) {
    const { kind, name } = spec
    const memory = { standing: fresh }
    while (true) {
      if (member !== undefined) {
        if (!member.mayRun() && tree.stateOf(name)?._tag !== "starting") yield* tree.turn(name, { _tag: "Hold" })
        yield* member.turnToRun
      }
      yield* tree.turn(name, { _tag: "Run" })
      const startedMs = yield* Clock.currentTimeMillis
      const outcome = yield* member === undefined ? Effect.asSome(Effect.exit(spec.run)) : member.whileAllowed(spec.run)
      if (Option.isNone(outcome)) {
        yield* tree.turn(name, { _tag: "Hold" })
        yield* Effect.logInfo(`actor ${name} waits for the one it depends on`)
        continue
      }
      const exit = outcome.value
      const isInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      if (isInterrupted && child.isAskedToEnd) return yield* Effect.interrupt
      if (Exit.isSuccess(exit) && kind !== "permanent") return
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.die(new Error("it ended though it should run for ever"))
      if (member !== undefined) yield* member.fell
      if (!(yield* judge(spec, memory, { cause, startedMs }))) return
    }
  })

  const groupOf = (name: string): RestForOne => {
    const group = groups.get(name) ?? new RestForOne()
    groups.set(name, group)
    return group
  }

  const stop = (name: string) =>
    Effect.suspend(() => {
      const child = children.get(name)
      if (child !== undefined) child.isAskedToEnd = true
      return FiberMap.remove(fibers, name)
    })

  const start = Effect.fnUntraced(function* <E, R>(spec: ChildSpec<E, R>) {
    const { drain, group, mailbox, name } = spec
    // A name belongs to one fiber: the one before it has ended, its finalizers too, before the next begins.
    yield* stop(name)
    const ending = Deferred.makeUnsafe<void>()
    const child: Child = { ending, drain, isAskedToEnd: false }
    children.set(name, child)
    yield* tree.enter(name, mailbox)
    const member = group === undefined ? undefined : groupOf(group).join(name)
    const gone = Effect.gen(function* () {
      if (tree.stateOf(name)?._tag !== "stopped") yield* tree.turn(name, { _tag: "Stop" })
      if (member !== undefined) yield* member.leave
      yield* Deferred.succeed(ending, undefined)
    })
    // A defect here is one of the supervisor: what it cannot supervise must not die unseen.
    const broken = (defect: unknown) =>
      Deferred.fail(escalated, new ActorExhausted({ actor: name, reason: String(defect) }))
    const whole = supervise(spec, child, member).pipe(Effect.catchDefect(broken), Effect.ensuring(gone))
    yield* FiberMap.run(fibers, name, Effect.annotateLogs(whole, { actor: name }))
  })

  const ended = (name: string) =>
    Effect.suspend(() => {
      const child = children.get(name)
      return child === undefined ? Effect.void : Deferred.await(child.ending)
    })

  const isRunning = ([, { ending }]: readonly [string, Child]) => !Deferred.isDoneUnsafe(ending)

  const shutdown = Effect.fnUntraced(function* ({ deadline_ms, order }: Shutdown) {
    const stageOf = (name: string) => {
      const stage = order.indexOf(name.split("/", 1)[0] ?? "")
      return stage < 0 ? order.length : stage
    }
    const inStages = Effect.gen(function* () {
      for (let stage = 0; stage <= order.length; stage++) {
        const due = [...children].filter((child) => isRunning(child) && stageOf(child[0]) === stage)
        yield* Effect.forEach(
          due,
          ([name, { drain }]) => (drain === undefined ? stop(name) : Effect.andThen(drain, ended(name))),
          { concurrency: "unbounded", discard: true }
        )
      }
    })
    // Shutdown is often a finalizer's work, where nothing is interruptible; the deadline must be able to end this.
    yield* Effect.timeoutOption(Effect.interruptible(inStages), deadline_ms)
    const late = [...children].filter(isRunning)
    for (const [, child] of late) child.isAskedToEnd = true
    // Not waited for: what has ignored its deadline may ignore its interruption too.
    for (const [name] of late)
      yield* Effect.sync(() => Option.map(FiberMap.getUnsafe(fibers, name), (fiber) => fiber.interruptUnsafe()))
    return late.map(([name]) => name)
  })

  return Supervisor.of({
    start,
    stop,
    ended,
    shutdown,
    escalated: Deferred.await(escalated)
  })
})

/** One line for the log and the tree. */
const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message || error.name : String(error)
}
