import { Clock, Context, Effect, Layer, Result, Schedule } from "effect"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { Counters, countCode } from "./Counters.ts"
import { Options } from "./ExchangeOptions.ts"
import { Market } from "./Market.ts"
import { seededRandom } from "./market/SeededRandom.ts"
import { lineDuty } from "./stream/liveness.ts"
import { judge } from "./stream/registration.ts"
import { pingPong, refusedAltogether } from "./stream/replies.ts"
import { makeSeats } from "./stream/Seats.ts"
import type { Session } from "./stream/Session.ts"
import { readRequest, type StreamCode } from "./stream/StreamRequest.ts"
import { makeTopics, tradeStream } from "./stream/Topics.ts"
import { TokenDesk } from "./TokenDesk.ts"

const messageBytesMax = 65_536

/**
 * The stream: any number of sockets, one session per app key. It owns every socket from its upgrade on. Data is
 * written in the step that made it; a client that does not read is cut once too much waits for it, so nothing here
 * grows without bound. Messages of one client are answered in order, and none can stop another's.
 */
export class StreamApi extends Context.Service<
  StreamApi,
  {
    /** Takes over a connection that asks for an upgrade, on whatever path. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
>()("observer/simulator/StreamApi") {
  static readonly layer = Layer.effect(
    StreamApi,
    Effect.gen(function* () {
      const { seed, slots, stream: rules } = yield* Options
      const market = yield* Market
      const desk = yield* TokenDesk
      const counters = yield* Counters
      const clock = yield* Clock.Clock
      const now = () => clock.currentTimeMillisUnsafe()
      const random = seededRandom(seed, 2)
      const seats = makeSeats(rules.heldAfterAbruptCloseSeconds * 1_000)
      const sessions = new Set<Session>()
      let opened = 0

      const send = (session: Session, text: string): boolean => {
        if (session.socket.readyState !== session.socket.OPEN) return false
        if (session.socket.bufferedAmount > rules.bufferedBytesMax) {
          counters.slowClientsCut += 1
          session.socket.terminate()
          return false
        }
        session.socket.send(text)
        session.lastSentMs = now()
        return true
      }

      const topics = makeTopics(market.floor.date, (session, frame, records) => {
        if (!send(session, frame)) return
        counters.framesSent += 1
        counters.recordsSent += records
      })
      market.listen(topics.listener)

      const registrationRules = {
        slots,
        streams: new Set([tradeStream]),
        isListed: (code: string) => market.floor.issue(code) !== undefined,
        ownerOf: desk.ownerOf,
        takeSeat: (owner: string, session: Session) => {
          const isTaken = seats.take(owner, session.id, now())
          if (isTaken) session.owner = owner
          return isTaken
        }
      }

      const refuse = (session: Session, code: StreamCode, reply: string) => {
        countCode(counters.streamRefusalsByCode, code)
        send(session, reply)
      }

      const onMessage = (session: Session, text: string) => {
        const read = readRequest(text)
        if (Result.isFailure(read)) return refuse(session, read.failure, refusedAltogether(read.failure))
        const request = read.success
        if (request._tag === "PingPong") return void (session.unansweredSinceMs = undefined)
        const { begin, end, refusedWith, reply } = judge(request, session, registrationRules)
        if (refusedWith !== undefined) return refuse(session, refusedWith, reply)
        if (begin !== undefined) {
          session.slots.add(begin)
          topics.join(begin, session)
        }
        if (end !== undefined) {
          session.slots.delete(end)
          topics.leave(end, session)
        }
        send(session, reply)
      }

      const onClose = (session: Session, code: number) => {
        sessions.delete(session)
        counters.sessions = sessions.size
        topics.leaveAll(session)
        // 1006 is what `ws` reports when no close frame came.
        if (session.owner !== undefined) seats.leave(session.owner, session.id, code !== 1006, now())
      }

      const open = (socket: WebSocket) => {
        const cipher = { iv: random.text(16), key: random.text(32) }
        const session: Session = {
          id: ++opened,
          socket,
          cipher,
          slots: new Set(),
          owner: undefined,
          lastSentMs: now(),
          unansweredSinceMs: undefined
        }
        sessions.add(session)
        counters.sessions = sessions.size
        socket.on("message", (data) => onMessage(session, String(data)))
        socket.on("pong", (payload) => {
          if (String(payload).includes("PINGPONG")) session.unansweredSinceMs = undefined
        })
        socket.on("close", (code) => onClose(session, code))
        // An error is always followed by a close, which is where it is dealt with.
        socket.on("error", () => socket.terminate())
      }

      const keepLine = (session: Session, atMs: number) => {
        const duty = lineDuty(session, rules, atMs)
        if (duty === "cut") {
          counters.silentClientsCut += 1
          session.socket.terminate()
        } else if (duty === "ping" && send(session, pingPong(atMs))) {
          session.unansweredSinceMs ??= atMs
        }
      }

      yield* Effect.sync(() => {
        const atMs = now()
        seats.sweep(atMs)
        for (const session of sessions) keepLine(session, atMs)
      }).pipe(Effect.repeat(Schedule.fixed("1 second")), Effect.forkScoped)

      const server = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new WebSocketServer({
              noServer: true,
              perMessageDeflate: false,
              maxPayload: messageBytesMax,
              clientTracking: false
            })
        ),
        (server) =>
          Effect.sync(() => {
            for (const session of sessions) session.socket.terminate()
            server.close()
          })
      )

      return StreamApi.of({
        upgrade: (request, socket, head) => {
          socket.on("error", () => socket.destroy())
          if (sessions.size < rules.sessionsMax) server.handleUpgrade(request, socket, head, open)
          else socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n")
        }
      })
    })
  )
}
