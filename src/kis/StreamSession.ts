import { Clock, Effect, Random, type Redacted, type Scope } from "effect"
import type { KisAccount } from "./Account.ts"
import type { ApprovalKey } from "./ApprovalKey.ts"
import { type KisError, KisCredentialsRejected } from "./KisError.ts"
import { next, type SessionEvent, type SessionState } from "./SessionState.ts"
import { readControl, subscribeMessage, type SubscribeReply } from "./StreamMessage.ts"
import { connect, StreamLost, type StreamMessage, type StreamSocket } from "./StreamSocket.ts"

export interface Registration {
  readonly trId: string
  readonly trKey: string
}

export interface SessionStatus {
  readonly state: SessionState
  readonly sinceMs: number
  readonly connects: number
  readonly slotsHeld: number
  readonly slotsBelieved: number
  readonly lastHeardMs: number | undefined
  readonly pingPongs: number
}

/** What a session tells its owner. A chunk of messages is handed on before the next is taken: the owner's pace is the socket's. */
export interface SessionHandler<R> {
  /** Data frames in the order they came. */
  onFrames(frames: ReadonlyArray<StreamMessage>): Effect.Effect<void, never, R>
  /** The broker has accepted a registration, by a message that came at `atMs`; frames before it have been handed on. */
  onRegistered(registration: Registration, atMs: number): Effect.Effect<void, never, R>
  /** The connection is gone, and with it every registration; nothing that came after `lastHeardMs` was handed on. */
  onLost(because: string, lastHeardMs: number): Effect.Effect<void, never, R>
}

/** Between two registrations: the broker's helper sleeps 50 ms live and 500 ms in the mock; it advises 100–150 ms. */
const pace_ms = { live: 100, mock: 500 } as const
const answer_timeout_ms = 5_000
const tries_max = 3
/** No message of any kind, probes included, for so long: the connection is dead though it is open. */
const silence_ms = 120_000
const watch_ms = 1_000

const keyOf = ({ trId, trKey }: Registration) => `${trId} ${trKey}`

/**
 * One account's streaming session, for ever: approve, connect, register one after the other, read until lost, wait,
 * again. The decisions are `SessionState.next`; this is the fiber that acts on them.
 */
export const makeStreamSession = Effect.fnUntraced(function* <R>(
  account: KisAccount,
  approval: ApprovalKey,
  wanted: ReadonlyArray<Registration>,
  slots: number,
  handler: SessionHandler<R>
) {
  const { alias, endpoints } = account
  const clock = yield* Clock.Clock
  let state: SessionState = { _tag: "idle" }
  let sinceMs = yield* Clock.currentTimeMillis
  let connects = 0
  let slotsBelieved = slots
  let socket: StreamSocket | undefined
  /** When the newest message came that has been handled. */
  let handledToMs = sinceMs
  /** Since when there has been nothing to handle; absent while the handler is at work. */
  let idleSinceMs: number | undefined
  const held = new Set<string>()

  const turn = Effect.fnUntraced(function* (event: SessionEvent) {
    const before = state._tag
    state = next(state, event)
    if (state._tag === before) return
    sinceMs = yield* Clock.currentTimeMillis
    const words = { account: alias, from: before, to: state._tag }
    if (state._tag === "waiting") {
      yield* Effect.logWarning("the stream waits before it connects again", {
        ...words,
        because: state.because,
        for_ms: state.for_ms
      })
    } else if (state._tag === "parked") {
      yield* Effect.logError("the stream stays down", { ...words, because: state.because })
    } else if (state._tag === "live")
      yield* Effect.logInfo("the stream is live", { account: alias, registered: held.size })
    else yield* Effect.logDebug("stream session", words)
  })

  /** Registers everything, and asks again for what was not answered; three times, then it is left out and named. */
  const register = Effect.fnUntraced(function* (
    open: StreamSocket,
    key: Redacted.Redacted,
    refused: ReadonlySet<string>
  ) {
    for (let round = 1; round <= tries_max; round++) {
      const missing = wanted
        .slice(0, slotsBelieved)
        .filter((item) => !held.has(keyOf(item)) && !refused.has(keyOf(item)))
      if (missing.length === 0) return
      for (const item of missing) {
        if (held.size >= slotsBelieved) break
        yield* open.send(subscribeMessage(key, "subscribe", item.trId, item.trKey))
        yield* Effect.sleep(pace_ms[endpoints.env])
      }
      yield* Effect.sleep(answer_timeout_ms)
    }
    const unanswered = wanted
      .slice(0, slotsBelieved)
      .filter((item) => !held.has(keyOf(item)) && !refused.has(keyOf(item)))
    if (unanswered.length > 0) {
      yield* Effect.logWarning("registrations were never answered", {
        account: alias,
        of: unanswered.map(keyOf).join(", ")
      })
    }
  })

  const onAnswer = Effect.fnUntraced(function* (
    item: Registration,
    reply: SubscribeReply,
    refused: Set<string>,
    atMs: number
  ) {
    switch (reply._tag) {
      case "Subscribed":
        if (held.has(keyOf(item))) return
        held.add(keyOf(item))
        return yield* handler.onRegistered(item, atMs)
      case "Unsubscribed":
        held.delete(keyOf(item))
        return
      case "SlotsFull":
        // A refusal of the very first says that something else is wrong; believing in no slot would end the stream for good.
        slotsBelieved = Math.max(1, held.size)
        return yield* Effect.logWarning("the broker gives fewer slots than believed", {
          account: alias,
          slots: held.size
        })
      case "KeyInUse":
        yield* turn({ _tag: "KeyInUse" })
        return yield* new StreamLost({ detail: "the key is in use" })
      case "ApprovalUnknown":
        yield* approval.drop
        return yield* new StreamLost({ detail: "the approval key is not known" })
      case "KeyRefused":
        return yield* new KisCredentialsRejected({ account: alias, code: reply.code })
      case "Refused":
        if (!reply.passing) refused.add(keyOf(item))
        return yield* Effect.logWarning("a registration was refused", {
          account: alias,
          of: keyOf(item),
          code: reply.code
        })
    }
  })

  const handOn = Effect.fnUntraced(function* (frames: ReadonlyArray<StreamMessage>) {
    const last = frames.at(-1)
    if (last === undefined) return
    yield* turn({ _tag: "Heard" })
    yield* handler.onFrames(frames)
    handledToMs = last.receivedAtMs
  })

  /** Handles what came in the order in which it came: an answer between two frames is told between them. */
  const read = Effect.fnUntraced(function* (open: StreamSocket, refused: Set<string>) {
    while (true) {
      idleSinceMs = clock.currentTimeMillisUnsafe()
      const messages = yield* open.take
      idleSinceMs = undefined
      let from = 0
      for (const [index, { receivedAtMs, text }] of messages.entries()) {
        if (!text.startsWith("{")) continue
        yield* handOn(messages.slice(from, index))
        from = index + 1
        const control = readControl(text)
        if (control._tag === "Answer") yield* onAnswer(control, control.reply, refused, receivedAtMs)
        else if (control._tag === "Unreadable")
          yield* Effect.logWarning("the stream said something unreadable", { account: alias })
        handledToMs = receivedAtMs
      }
      yield* handOn(messages.slice(from))
    }
  })

  const watch = Effect.fnUntraced(function* (open: StreamSocket) {
    let probes = 0
    while (true) {
      yield* Effect.sleep(watch_ms)
      if (open.pingPongs() > probes) yield* turn({ _tag: "Heard" })
      probes = open.pingPongs()
      // While the handler is at work the socket may not be read: that silence is ours, not the broker's.
      if (idleSinceMs === undefined) continue
      const silent_ms = clock.currentTimeMillisUnsafe() - Math.max(open.lastHeardMs(), idleSinceMs)
      if (silent_ms < silence_ms) continue
      yield* turn({ _tag: "Silence" })
      return yield* new StreamLost({ detail: `nothing was heard for ${Math.round(silent_ms / 1_000)} s` })
    }
  })

  const once: Effect.Effect<never, StreamLost | KisError, R | Scope.Scope> = Effect.gen(function* () {
    yield* turn({ _tag: "Wanted" })
    const key = yield* approval.current
    yield* turn({ _tag: "Approved" })
    connects += 1
    const open = yield* connect(endpoints.wsUrl, () => clock.currentTimeMillisUnsafe())
    socket = open
    yield* turn({ _tag: "Opened" })
    handledToMs = open.lastHeardMs()
    const refused = new Set<string>()
    // A registration that cannot be sent means a closed connection: the reader says so, after the last message that came.
    const registering = register(open, key, refused).pipe(
      Effect.catchTag("StreamLost", () => Effect.void),
      Effect.andThen(Effect.never)
    )
    return yield* Effect.raceFirst(read(open, refused), Effect.raceFirst(watch(open), registering))
  })

  const session = Effect.gen(function* () {
    const error = yield* Effect.flip(Effect.scoped(once))
    const lastHeardMs = socket?.lastHeardMs() ?? clock.currentTimeMillisUnsafe()
    const wasHeld = held.size > 0
    socket = undefined
    held.clear()
    yield* turn(
      error._tag === "KisCredentialsRejected"
        ? { _tag: "Refused", because: error.message }
        : { _tag: "Lost", because: error.message }
    )
    if (wasHeld) yield* handler.onLost(error.message, lastHeardMs)
    if (state._tag === "parked") return yield* Effect.never
    // Spread, so that keys cut together do not return together.
    if (state._tag === "waiting") yield* Effect.sleep(state.for_ms * (0.75 + (yield* Random.next) / 2))
    yield* turn({ _tag: "WaitOver" })
  })

  return {
    /** The session's work, for a supervisor to run. What the run before lost by its crash is told first. */
    run: Effect.gen(function* () {
      state = { _tag: "idle" }
      socket = undefined
      if (held.size > 0) yield* handler.onLost("the session crashed", handledToMs)
      held.clear()
      return yield* Effect.forever(session)
    }),
    status: Effect.sync((): SessionStatus => ({
      state,
      sinceMs,
      connects,
      slotsHeld: held.size,
      slotsBelieved,
      lastHeardMs: socket?.lastHeardMs(),
      pingPongs: socket?.pingPongs() ?? 0
    }))
  }
})
