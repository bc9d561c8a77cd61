import { Clock, Deferred, Effect, Queue, type Redacted, Semaphore } from "effect"
import type { ApprovalKey } from "../ApprovalKey.ts"
import { KisCredentialsRejected } from "../KisError.ts"
import type { SessionEvent } from "../SessionState.ts"
import { type ControlMessage, isControl, readControl, subscribeMessage, type SubscribeReply } from "../StreamMessage.ts"
import { StreamLost, type StreamMessage, type StreamSocket } from "../StreamSocket.ts"
import { Ciphers } from "./Ciphers.ts"
import { deadAfter_ms, probed, quietAfter_ms, type Quietness, spoke } from "./ConnectionSilence.ts"
import { keyOf, type Registration, Registrations, type ReleaseReason } from "./Registrations.ts"
import { lowered, proven, raised, type SlotCap } from "./SlotCap.ts"

/** What a connection tells its owner. A chunk of messages is handed on before the next is taken: the owner's pace is the socket's. */
export interface ConnectionHandler<R> {
  /** Data frames in the order they came; encrypted ones are opened, unless no key of theirs fits. */
  onFrames(frames: ReadonlyArray<StreamMessage>): Effect.Effect<void, never, R>
  /** The broker has accepted a registration, by a message that came at `atMs`; frames before it have been handed on. */
  onRegistered(registration: Registration, atMs: number): Effect.Effect<void, never, R>
  /** A registration has ended while the connection lives, by a message that came at `atMs`. */
  onReleased(registration: Registration, atMs: number, reason: ReleaseReason): Effect.Effect<void, never, R>
  /** The broker is believed to take another number of registrations than before. */
  onSlots(believed: number): Effect.Effect<void, never, R>
}

/** What outlives a connection; owned by the session. */
export interface SessionMemory {
  /** The most important first. */
  wanted: ReadonlyArray<Registration>
  cap: SlotCap
  quietness: Quietness
  /** Says that there may be something else to send. */
  readonly nudges: Queue.Queue<void>
}

export interface ConnectionOptions<R> {
  /** Which connection of the session it is, from 1 on. */
  readonly generation: number
  readonly account: string
  readonly pace_ms: number
  readonly approval: ApprovalKey
  readonly key: Redacted.Redacted
  readonly socket: StreamSocket
  readonly memory: SessionMemory
  readonly handler: ConnectionHandler<R>
  turn(event: SessionEvent): Effect.Effect<void>
}

export interface Connection<R> {
  readonly socket: StreamSocket
  readonly registrations: Registrations
  /** Works until the connection is lost. */
  readonly run: Effect.Effect<never, StreamLost | KisCredentialsRejected, R>
  /** Ends the connection, which is a loss to silence. */
  end(detail: string): Effect.Effect<void>
  /** The handler has nothing to do: all that came was handed on. */
  readonly isIdle: () => boolean
  /** What came until then was handed on, UTC milliseconds. */
  readonly safeToMs: () => number
  /** Until when handling was behind what came. */
  readonly behindToMs: () => number
}

const watch_ms = 1_000
/** A clock that is kept by the network is moved by less; farther back, its times cannot be compared any more. */
const setBack_ms = 1_000
/** Handling that takes longer than this keeps the next messages waiting: their lateness is ours, not the broker's. */
const behind_ms = 1_000

/**
 * One connection: a reader, a sender of registrations, a watch. Everything it knows lives and ends with it, under its
 * number, so no message, answer or end of an older connection can be taken for one of a newer.
 */
export const makeConnection = <R>(options: ConnectionOptions<R>): Connection<R> => {
  const { account, approval, generation, handler, key, memory, pace_ms, socket, turn } = options
  const registrations = new Registrations()
  const ciphers = new Ciphers()
  const ending = Deferred.makeUnsafe<never, StreamLost>()
  let handledToMs = socket.lastHeardMs()
  /** Since when there has been nothing to handle; absent while the handler is at work. */
  let idleSinceMs: number | undefined
  let behindToMs = 0
  let hasFrames = false
  /** The owner is told one thing after the other. */
  const handling = Semaphore.makeUnsafe(1)
  let lookedAtMs = handledToMs
  /** Nothing was heard later than that: times of before the clock was set back are none of today's. */
  let heardToMs_max = Number.POSITIVE_INFINITY

  const believe = Effect.fnUntraced(function* (cap: SlotCap) {
    const before = memory.cap.believed
    memory.cap = cap
    if (cap.believed !== before) yield* handler.onSlots(cap.believed)
  })

  /** Says which registrations are given up for now; a connection on which nothing at all is answered is worth nothing. */
  const nameUnanswered = Effect.fnUntraced(function* (before: ReadonlyArray<string>) {
    const given = registrations.unanswered.filter((name) => !before.includes(name))
    if (given.length === 0) return
    yield* Effect.logWarning("registrations were never answered", { account, generation, of: given.join(", ") })
    if (registrations.isAnswered || hasFrames) return
    // A long expired approval key was reported to be taken in silence (kis/websocket.md §6).
    yield* approval.drop
    return yield* new StreamLost({ detail: "not one registration was answered", why: "unapproved" })
  })

  const onReleased = Effect.fnUntraced(function* (item: Registration, atMs: number, reason: ReleaseReason | undefined) {
    if (reason === undefined) return
    if (reason === "dropped") {
      yield* Effect.logWarning("the broker ended a registration by itself", { account, generation, of: keyOf(item) })
    }
    ciphers.released(item)
    yield* handler.onReleased(item, atMs, reason)
  })

  /** Sends the next registration, or waits until there is another to send. */
  const sendNext = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* believe(raised(memory.cap, now))
    registrations.want(memory.wanted)
    const before = registrations.unanswered
    // While the handler is at work, answers may wait behind what it handles.
    const step = registrations.next(now, memory.cap.believed, idleSinceMs === undefined ? handledToMs : now)
    yield* nameUnanswered(before)
    if (step._tag === "Freed") return yield* handling.withPermits(1)(onReleased(step.item, now, step.reason))
    if (step._tag === "Send") {
      yield* socket.send(subscribeMessage(key, step.action, step.item.trId, step.item.trKey))
      return yield* Effect.sleep(pace_ms)
    }
    const never = Number.POSITIVE_INFINITY
    const untilMs = Math.min(step.untilMs ?? never, memory.cap.raiseAtMs ?? never)
    const nudge = Queue.take(memory.nudges)
    yield* untilMs === never ? nudge : Effect.timeoutOption(nudge, Math.max(pace_ms, untilMs - now))
  })

  const onAccepted = Effect.fnUntraced(function* (item: Registration, atMs: number) {
    yield* believe(proven(memory.cap, registrations.heldCount))
    yield* handler.onRegistered(item, atMs)
  })

  /** What an answer is of: where it names the stream and not the symbol, the question of that stream that is open longest. */
  const subjectOf = ({ reply, trId, trKey }: ControlMessage & { readonly _tag: "Answer" }): Registration => {
    const item = { trId, trKey }
    if (trKey !== "") return item
    return registrations.oldest(trId, reply._tag === "Unsubscribed" ? "releasing" : "asking") ?? item
  }

  const onAnswer = Effect.fnUntraced(function* (item: Registration, reply: SubscribeReply, atMs: number) {
    Queue.offerUnsafe(memory.nudges, undefined)
    switch (reply._tag) {
      case "Subscribed":
        if (registrations.accepted(item, atMs)) yield* onAccepted(item, atMs)
        return
      case "Unsubscribed":
        return yield* onReleased(item, atMs, registrations.released(item, atMs))
      case "SlotsFull": {
        yield* onReleased(item, atMs, registrations.isHeld(item) ? "dropped" : undefined)
        const held = registrations.slotsFull(item, atMs)
        yield* Effect.logWarning("the broker gives fewer slots than believed", { account, generation, slots: held })
        return yield* believe(lowered(memory.cap, held, atMs))
      }
      case "KeyInUse":
        return yield* new StreamLost({ detail: "the key is in use", why: "keyInUse" })
      case "ApprovalUnknown":
        yield* approval.drop
        return yield* new StreamLost({ detail: "the approval key is not known", why: "unapproved" })
      case "KeyRefused":
        return yield* new KisCredentialsRejected({ account, code: reply.code })
      case "Refused": {
        yield* onReleased(item, atMs, registrations.isHeld(item) ? "dropped" : undefined)
        registrations.refused(item, reply.passing, atMs)
        const words = { account, generation, of: keyOf(item), code: reply.code }
        return yield* Effect.logWarning("a registration was refused", words)
      }
    }
  })

  /** Data says that what was asked for is held, though the answer is late or lost. */
  const acceptBy = Effect.fnUntraced(function* (frames: ReadonlyArray<StreamMessage>) {
    for (const { receivedAtMs, text } of frames) {
      const item = registrationIn(text)
      if (item !== undefined && registrations.heard(item, receivedAtMs)) yield* onAccepted(item, receivedAtMs)
    }
  })

  const handOn = Effect.fnUntraced(function* (came: ReadonlyArray<StreamMessage>) {
    const frames = ciphers.opened(came)
    const last = frames.at(-1)
    if (last === undefined) return
    hasFrames = true
    memory.quietness = spoke(memory.quietness)
    yield* turn({ _tag: "Heard" })
    if (registrations.isAsking) yield* acceptBy(frames)
    yield* handler.onFrames(frames)
    handledToMs = last.receivedAtMs
  })

  /** Handles what came in the order in which it came: an answer between two frames is told between them. */
  const handleChunk = Effect.fnUntraced(function* (messages: ReadonlyArray<StreamMessage>) {
    const takenAtMs = yield* Clock.currentTimeMillis
    let from = 0
    for (const [index, { receivedAtMs, text }] of messages.entries()) {
      if (!isControl(text)) continue
      yield* handOn(messages.slice(from, index))
      from = index + 1
      const control = readControl(text)
      if (control._tag === "Answer") {
        const item = subjectOf(control)
        const { cipher, reply } = control
        if (cipher !== undefined && reply._tag === "Subscribed") ciphers.accepted(item, cipher)
        yield* onAnswer(item, reply, receivedAtMs)
      } else if (control._tag === "Unreadable")
        yield* Effect.logWarning("the stream said something unreadable", { account, generation })
      handledToMs = receivedAtMs
    }
    yield* handOn(from === 0 ? messages : messages.slice(from))
    const now = yield* Clock.currentTimeMillis
    const waited_ms = takenAtMs - (messages[0]?.receivedAtMs ?? takenAtMs)
    if (now - takenAtMs >= behind_ms || waited_ms >= behind_ms) behindToMs = now
  })

  const readChunk = Effect.gen(function* () {
    idleSinceMs = yield* Clock.currentTimeMillis
    const messages = yield* socket.take
    idleSinceMs = undefined
    yield* handling.withPermits(1)(handleChunk(messages))
  })

  let probes = 0
  /** Looks whether anything at all still comes. */
  const look = Effect.gen(function* () {
    yield* Effect.sleep(watch_ms)
    const now = yield* Clock.currentTimeMillis
    if (now < lookedAtMs - setBack_ms) {
      // Every time that is waited for here lies too far ahead by as much; another connection has its own.
      heardToMs_max = now
      return yield* new StreamLost({ detail: "the machine's clock was set back", why: "cut" })
    }
    lookedAtMs = now
    if (socket.pingPongs() > probes) {
      memory.quietness = probed(memory.quietness, socket.longestQuiet_ms())
      // Before the first acceptance a probe proves no more than the open connection does.
      if (registrations.heldCount > 0 || memory.wanted.length === 0) yield* turn({ _tag: "Heard" })
    }
    probes = socket.pingPongs()
    // While the handler is at work the socket may not be read: that silence is ours, not the broker's.
    if (idleSinceMs === undefined) return
    const silent_ms = now - Math.max(socket.lastHeardMs(), idleSinceMs)
    if (silent_ms < quietAfter_ms(memory.quietness)) return
    yield* turn({ _tag: "Silence" })
    if (silent_ms < deadAfter_ms(memory.quietness)) return
    const detail = `nothing was heard for ${Math.round(silent_ms / 1_000)} s`
    return yield* new StreamLost({ detail, why: "silence" })
  })

  // A registration that cannot be sent ends the connection: the reader says so, after the last message that came.
  const sending = Effect.forever(sendNext).pipe(
    Effect.catchIf(
      ({ why }) => why !== "unapproved",
      () => Effect.never
    )
  )
  return {
    socket,
    registrations,
    run: Effect.raceAllFirst([Effect.forever(readChunk), Effect.forever(look), sending, Deferred.await(ending)]),
    end: (detail) => Effect.asVoid(Deferred.fail(ending, new StreamLost({ detail, why: "silence" }))),
    isIdle: () => idleSinceMs !== undefined,
    safeToMs: () => Math.min(heardToMs_max, idleSinceMs === undefined ? handledToMs : socket.lastHeardMs()),
    behindToMs: () => behindToMs
  }
}

/** The TR and the first symbol of a data frame. */
const registrationIn = (text: string): Registration | undefined => {
  const [, trId, , body] = text.split("|", 4)
  if (trId === undefined || body === undefined) return undefined
  const end = body.indexOf("^")
  return { trId, trKey: end === -1 ? body : body.slice(0, end) }
}
