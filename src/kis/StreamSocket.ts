import { Cause, Data, Effect, Queue, type Scope } from "effect"
import { type RawData, WebSocket } from "ws"
import { meterDroppedUnsafe } from "../actor/dropMeter.ts"
import { isPingPong } from "./StreamMessage.ts"

/** What a connection was lost to: a hole of `silence` begins when it was last heard, the others are told apart for the wait. */
export type LossReason = "cut" | "silence" | "overflow" | "keyInUse" | "unapproved"

/** The connection ended or never came to be; `detail` is the close code or the system's word. */
export class StreamLost extends Data.TaggedError("StreamLost")<{
  readonly detail: string
  readonly why: LossReason
}> {
  override get message() {
    return `the stream was lost (${this.detail})`
  }
}

export interface StreamMessage {
  readonly text: string
  readonly receivedAtMs: number
}

export interface StreamSocket {
  /** What has come since, but the probes, in order; waits for the first. Fails with `StreamLost` after the last message. */
  readonly take: Effect.Effect<ReadonlyArray<StreamMessage>, StreamLost>
  /** What cannot be sent within five seconds ends the connection. */
  send(text: string): Effect.Effect<void, StreamLost>
  /** Wall clock milliseconds of the last message of any kind that was not let go of. */
  readonly lastHeardMs: () => number
  readonly pingPongs: () => number
  /** The longest time without a message that ended in a probe, milliseconds. */
  readonly longestQuiet_ms: () => number
}

/** Messages between socket and decoder. From half of it on the socket is not read, and TCP holds the broker back; the other half takes what was under way. */
const queued_max = 4_096
const taken_max = 512
/** A frame may carry 20 records of 47 values, and bursts were seen to close clients with small buffers. */
const message_bytes_max = 4 * 1024 * 1024
const open_timeout_ms = 10_000
const send_timeout = "5 seconds"
const unsendable = "nothing can be sent"
/** What a broker that does not read leaves with us; our own words are few and short. */
const unsent_bytes_max = 1024 * 1024

/**
 * One connection to the broker's stream. Probes are echoed inside the receiving callback, before any other work.
 * Invalid UTF-8 is let through, for real frames carry it, and no pings of our own are sent (kis/websocket.md §4, §5).
 */
export const connect = Effect.fnUntraced(function* (
  url: string,
  nowMs: () => number
): Effect.fn.Return<StreamSocket, StreamLost, Scope.Scope> {
  const messages = yield* Queue.bounded<StreamMessage, StreamLost>(queued_max)
  const services = yield* Effect.context<never>()
  let lastHeardMs = nowMs()
  let pingPongs = 0
  let longestQuiet_ms = 0
  let paused = false
  /** Nothing that comes later counts any more. */
  let isOver = false
  let isOverflown = false

  const socket = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new WebSocket(url, {
          perMessageDeflate: false,
          skipUTF8Validation: true,
          maxPayload: message_bytes_max,
          handshakeTimeout: open_timeout_ms
        })
    ),
    // The broker frees the key at once after a clean close, and holds it for long after an abrupt one. It frees the slots
    // with it: to end every registration first would take four seconds of a stop, and change nothing.
    (opened) =>
      Effect.callback<void>((resume) => {
        isOver = true
        if (opened.readyState === WebSocket.CLOSED) return resume(Effect.void)
        opened.once("close", () => resume(Effect.void))
        opened.close(1000)
      }).pipe(Effect.timeoutOption("1 second"), Effect.andThen(Effect.sync(() => opened.terminate())))
  )

  const lost = (detail: string, why: LossReason = "cut") => {
    isOver = true
    Queue.failCauseUnsafe(messages, Cause.fail(new StreamLost({ detail, why })))
  }
  socket.on("message", (data, isBinary) => {
    if (isOver) return isOverflown ? meterDroppedUnsafe("overflow", 1, services) : undefined
    const receivedAtMs = nowMs()
    const text = textOf(data)
    if (!isBinary && isPingPong(text)) {
      pingPongs += 1
      longestQuiet_ms = Math.max(longestQuiet_ms, receivedAtMs - lastHeardMs)
      lastHeardMs = receivedAtMs
      socket.send(text)
      if (socket.bufferedAmount > unsent_bytes_max) lost("the broker reads nothing any more")
      return
    }
    // A hole begins with what is let go of, not with what came last.
    if (!Queue.offerUnsafe(messages, { text, receivedAtMs })) {
      isOverflown = true
      meterDroppedUnsafe("overflow", 1, services)
      return lost("more came than could be held", "overflow")
    }
    lastHeardMs = receivedAtMs
    if (Queue.sizeUnsafe(messages) >= queued_max / 2 && !paused) {
      paused = true
      socket.pause()
    }
  })
  yield* Effect.callback<void, StreamLost>((resume) => {
    const ended = (detail: string) => {
      lost(detail)
      resume(Effect.fail(new StreamLost({ detail, why: "cut" })))
    }
    socket.once("open", () => resume(Effect.void))
    socket.on("error", (error: NodeJS.ErrnoException) => ended(error.code ?? error.message))
    socket.once("close", (code) => ended(`closed with ${code}`))
  })

  const take = Effect.tap(Queue.takeBetween(messages, 1, taken_max), () =>
    Effect.sync(() => {
      if (!paused || Queue.sizeUnsafe(messages) >= queued_max / 4) return
      paused = false
      socket.resume()
    })
  )

  return {
    take,
    send: (text) =>
      Effect.callback<void, StreamLost>((resume) =>
        socket.send(text, (error) =>
          resume(error ? Effect.fail(new StreamLost({ detail: error.message, why: "cut" })) : Effect.void)
        )
      ).pipe(
        Effect.timeoutOrElse({
          duration: send_timeout,
          // Whoever reads is told as well: an open connection on which nothing can be sent is none.
          orElse: () => {
            lost(unsendable)
            return Effect.fail(new StreamLost({ detail: unsendable, why: "cut" }))
          }
        })
      ),
    lastHeardMs: () => lastHeardMs,
    pingPongs: () => pingPongs,
    longestQuiet_ms: () => longestQuiet_ms
  } satisfies StreamSocket
})

const textOf = (data: RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data)).toString()
