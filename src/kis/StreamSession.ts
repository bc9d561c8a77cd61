import { Clock, Effect, Fiber, Option, Queue, Random, type Scope } from "effect"
import type { KisAccount } from "./Account.ts"
import type { ApprovalKey } from "./ApprovalKey.ts"
import type { KisCredentialsRejected, KisError } from "./KisError.ts"
import { next, type SessionEvent, type SessionState } from "./SessionState.ts"
import { connect, type LossReason, type StreamLost } from "./StreamSocket.ts"
import {
  type Connection,
  type ConnectionHandler,
  makeConnection,
  type SessionMemory
} from "./streamSession/Connection.ts"
import { died, unheard } from "./streamSession/ConnectionSilence.ts"
import { keyOf, type Registration } from "./streamSession/Registrations.ts"
import { beginReconnects, meterReconnect } from "./streamSession/reconnectMeters.ts"
import { connected, slotCap } from "./streamSession/SlotCap.ts"

export type { Registration, ReleaseReason } from "./streamSession/Registrations.ts"
export { keyOf } from "./streamSession/Registrations.ts"

export interface SessionStatus {
  readonly state: SessionState
  readonly sinceMs: number
  readonly connects: number
  readonly slotsHeld: number
  readonly slotsBelieved: number
  readonly lastHeardMs: number | undefined
  readonly pingPongs: number
  /** Registrations that are wanted, whatever the slots. */
  readonly wanted: number
  /** Wanted ones that the broker refuses or does not answer, as `TR symbol`. */
  readonly unanswered: ReadonlyArray<string>
}

/** How a connection ended. What came until `lastHeardMs` was handed on, nothing later was. */
export interface Loss {
  readonly because: string
  readonly why: LossReason
  readonly lastHeardMs: number
}

/** What a session tells its owner. */
export interface SessionHandler<R> extends ConnectionHandler<R> {
  /** The connection is gone, and with it every registration. */
  onLost(loss: Loss): Effect.Effect<void, never, R>
}

/** Who says when a connection may be begun: connects are budgeted over the hour (kis/websocket.md §6). */
export interface ConnectGovernor {
  /** Waits for a connect, and counts it. */
  readonly permit: Effect.Effect<void>
}

export interface StreamSessionOptions<R> {
  readonly account: KisAccount
  readonly approval: ApprovalKey
  readonly governor: ConnectGovernor
  /** Registrations that the broker is told to take in one session. */
  readonly slots: number
  readonly handler: SessionHandler<R>
}

export interface StreamSession<R> {
  /**
   * The session's work, for a supervisor to run. What the run before lost is told first: it crashed, unless `stopped` was
   * called after it. Fails once the key is refused.
   */
  readonly run: Effect.Effect<never, KisCredentialsRejected, R>
  /** Says that the run was ended on purpose: nothing was lost, and nothing is held. */
  readonly stopped: Effect.Effect<void>
  readonly status: Effect.Effect<SessionStatus>
  /** Replaces what is wanted, the most important first. What changes is registered one by one, at the broker's pace. */
  want(registrations: ReadonlyArray<Registration>): Effect.Effect<void>
  /** Registers an accepted registration once more; `false` when the broker has not accepted it. */
  again(registration: Registration): Effect.Effect<boolean>
  /** Gives up a connection that is open and says nothing of use; it is a loss to silence. */
  renew(because: string): Effect.Effect<void>
  /** The wanted ones that the slots suffice for. */
  readonly targets: () => ReadonlyArray<Registration>
  /**
   * Until when handling was behind what came, in milliseconds of the machine's clock: quiet before that is ours.
   * `undefined` while there is no connection or the handler is at work.
   */
  readonly behindToMs: () => number | undefined
}

/** Between two registrations: the broker's helper sleeps 50 ms live and 500 ms in the mock; it advises 100–150 ms. */
const pace_ms = { live: 100, mock: 500 } as const
/** A governor that lets nobody through for so long is a reason to say so. */
const permit_patience = "1 second"

/**
 * One account's streaming session, for ever: approve, connect, register one after the other, read until lost, wait,
 * again. The decisions are `SessionState.next`; this is the fiber that acts on them. Each connection has a number and
 * keeps its own books (`streamSession/Connection.ts`); what outlives it is what is wanted and what was learnt of the broker.
 */
export const makeStreamSession = Effect.fnUntraced(function* <R>(options: StreamSessionOptions<R>) {
  const { account, approval, governor, handler } = options
  const { alias, endpoints } = account
  const clock = yield* Clock.Clock
  let state: SessionState = { _tag: "idle" }
  let sinceMs = yield* Clock.currentTimeMillis
  yield* beginReconnects(alias)
  let connects = 0
  let current: Connection<R> | undefined
  const memory: SessionMemory = {
    wanted: [],
    cap: slotCap(options.slots),
    quietness: unheard,
    nudges: yield* Queue.sliding<void>(1)
  }

  const turn = Effect.fnUntraced(function* (event: SessionEvent) {
    const before = state._tag
    state = next(state, event)
    if (state._tag === before) return
    sinceMs = yield* Clock.currentTimeMillis
    const words = { account: alias, generation: connects, from: before, to: state._tag }
    if (state._tag === "waiting") {
      const { because, for_ms } = state
      yield* Effect.logWarning("the stream waits before it connects again", { ...words, because, for_ms })
    } else if (state._tag === "parked") {
      yield* Effect.logError("the stream stays down", { ...words, because: state.because })
    } else if (state._tag === "live") {
      yield* Effect.logInfo("the stream is live", { ...words, registered: current?.registrations.heldCount })
    } else yield* Effect.logDebug("stream session", words)
  })

  const somethingWanted: Effect.Effect<void> = Effect.suspend(() =>
    memory.wanted.length > 0 ? Effect.void : Effect.andThen(Queue.take(memory.nudges), somethingWanted)
  )

  /** Fetched before connecting: a slow call between connecting and registering made double sessions (kis/websocket.md §6). */
  const approved = Effect.gen(function* () {
    const key = yield* approval.current
    const asking = yield* Effect.forkChild(governor.permit)
    const soon = yield* Effect.timeoutOption(Fiber.join(asking), permit_patience)
    if (Option.isSome(soon)) return key
    yield* turn({ _tag: "Governed" })
    yield* Fiber.join(asking)
    yield* turn({ _tag: "WaitOver" })
    // It may have come to its end meanwhile.
    return yield* approval.current
  })

  const once: Effect.Effect<never, StreamLost | KisError, R | Scope.Scope> = Effect.gen(function* () {
    yield* turn({ _tag: "Wanted" })
    const key = yield* approved
    yield* turn({ _tag: "Approved" })
    connects += 1
    const generation = connects
    const socket = yield* connect(endpoints.wsUrl, () => clock.currentTimeMillisUnsafe())
    memory.cap = connected(memory.cap)
    const connection = makeConnection<R>({
      generation,
      account: alias,
      pace_ms: pace_ms[endpoints.env],
      approval,
      key,
      socket,
      memory,
      handler,
      turn
    })
    current = connection
    yield* turn({ _tag: "Opened" })
    return yield* connection.run
  })

  /** Tells of a connection that is gone, once. */
  const letGo = Effect.fnUntraced(function* (because: string, why: LossReason) {
    const gone = current
    current = undefined
    if (gone === undefined || gone.registrations.heldCount === 0) return
    yield* handler.onLost({ because, why, lastHeardMs: gone.safeToMs() })
  })

  const session = Effect.gen(function* () {
    if (memory.wanted.length === 0) {
      yield* turn({ _tag: "Unwanted" })
      yield* somethingWanted
    }
    const error = yield* Effect.flip(Effect.scoped(once))
    if (error._tag === "KisCredentialsRejected") {
      yield* turn({ _tag: "Refused", because: error.message })
      yield* letGo(error.message, "cut")
      return yield* error
    }
    yield* meterReconnect(alias, error)
    const why = error._tag === "StreamLost" ? error.why : "cut"
    if (why === "silence") memory.quietness = died(memory.quietness)
    yield* turn(
      error._tag === "KisDisturbed"
        ? { _tag: "Lost", because: error.message, again: error.again }
        : eventOf(why, error.message)
    )
    yield* letGo(error.message, why)
    // Spread, so that keys cut together do not return together, and not before the time: it may be the broker's own.
    const for_ms = state._tag === "waiting" ? (state.for_ms ?? 0) : 0
    yield* Effect.sleep(for_ms * (1 + (yield* Random.next) / 2))
    yield* turn({ _tag: "WaitOver" })
  })

  const result: StreamSession<R> = {
    run: Effect.gen(function* () {
      state = { _tag: "idle" }
      yield* letGo("the session crashed", "cut")
      return yield* Effect.forever(session)
    }),
    stopped: Effect.suspend(() => {
      current = undefined
      return turn({ _tag: "Stopped" })
    }),
    status: Effect.sync(() => ({
      state,
      sinceMs,
      connects,
      slotsHeld: current?.registrations.heldCount ?? 0,
      slotsBelieved: memory.cap.believed,
      lastHeardMs: current?.socket.lastHeardMs(),
      pingPongs: current?.socket.pingPongs() ?? 0,
      wanted: memory.wanted.length,
      unanswered: current?.registrations.unanswered ?? []
    })),
    want: (registrations) =>
      Effect.sync(() => {
        memory.wanted = distinct(registrations)
        Queue.offerUnsafe(memory.nudges, undefined)
      }),
    again: (registration) =>
      Effect.sync(() => {
        const isReleasing = current?.registrations.again(registration) ?? false
        Queue.offerUnsafe(memory.nudges, undefined)
        return isReleasing
      }),
    renew: (because) => Effect.suspend(() => current?.end(because) ?? Effect.void),
    targets: () => [
      ...memory.wanted.slice(0, memory.cap.believed),
      ...(current?.registrations.targets(clock.currentTimeMillisUnsafe(), memory.cap.believed) ?? [])
    ],
    behindToMs: () => (current?.isIdle() === true ? current.behindToMs() : undefined)
  }
  return result
})

const eventOf = (why: LossReason, because: string): SessionEvent =>
  why === "keyInUse" ? { _tag: "KeyInUse" } : why === "unapproved" ? { _tag: "Unapproved" } : { _tag: "Lost", because }

/** The first of each, in order. */
const distinct = (registrations: ReadonlyArray<Registration>): ReadonlyArray<Registration> => {
  const seen = new Set<string>()
  return registrations.filter((item) => {
    const key = keyOf(item)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
