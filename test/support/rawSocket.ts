import { Effect, type Scope } from "effect"
import { connect, type Socket } from "node:net"

/** A connection that says what the test writes, byte by byte, and keeps what comes back. */
export interface RawSocket {
  readonly socket: Socket
  /** All that has come, latin1. */
  readonly heard: () => string
  readonly isClosed: () => boolean
  say(text: string): void
  /** Waits for the peer to end the connection. */
  readonly closed: Effect.Effect<string>
}

export const openRawSocket = (url: string): Effect.Effect<RawSocket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<RawSocket>((resume) => {
      const { hostname, port } = new URL(url)
      const socket = connect({ host: hostname, port: Number(port) })
      let heard = ""
      let closed = false
      socket.setEncoding("latin1").on("data", (text) => (heard += String(text)))
      socket.on("error", () => undefined)
      socket.on("close", () => (closed = true))
      const raw: RawSocket = {
        socket,
        heard: () => heard,
        isClosed: () => closed,
        say: (text) => void socket.write(text, "latin1"),
        closed: Effect.callback((done) => {
          if (closed) return done(Effect.succeed(heard))
          socket.once("close", () => done(Effect.succeed(heard)))
        })
      }
      socket.once("connect", () => resume(Effect.succeed(raw)))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** Says a text to a server and gives all that it says until it ends the connection. */
export const sayRaw = (url: string, text: string): Effect.Effect<string> =>
  Effect.scoped(
    Effect.flatMap(openRawSocket(url), (raw) => {
      raw.say(text)
      return raw.closed
    })
  )
