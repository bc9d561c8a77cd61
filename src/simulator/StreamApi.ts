import { Clock, Context, Effect, FiberSet, Layer, Schedule } from "effect"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { Counters } from "./Counters.ts"
import { Options } from "./ExchangeOptions.ts"
import { Market } from "./Market.ts"
import type { MarketListener, MarketView } from "./market/MarketView.ts"
import { seededRandom } from "./market/SeededRandom.ts"
import { catalogue } from "./stream/catalogue.ts"
import { makeConversation } from "./stream/Conversation.ts"
import { pingPongFrame } from "./stream/frames.ts"
import { FrameTap } from "./stream/FrameTap.ts"
import { lineDuty } from "./stream/liveness.ts"
import { type MadeUpOrder, makeNotices } from "./stream/Notices.ts"
import { pingPong } from "./stream/replies.ts"
import { makeSeats } from "./stream/Seats.ts"
import type { Session } from "./stream/Session.ts"
import { StreamOptions } from "./stream/StreamOptions.ts"
import { makeTopics } from "./stream/Topics.ts"
import { makeWire } from "./stream/Wire.ts"
import { TokenDesk } from "./TokenDesk.ts"

/** What the stream needs of the market. */
export interface StreamMarket {
  readonly view: MarketView
  /** Hears of every step until the scope closes. */
  listen(listener: MarketListener): void
}

const messageBytesMax = 65_536

/**
 * Close codes that free the seat at once: 1000 did within 8 ms; going away and a close frame without a code are taken to
 * be the same [U]. 1006, no close frame, and 1007, invalid UTF-8, were reported to leave it taken.
 */
const cleanCloses: ReadonlySet<number> = new Set([1000, 1001, 1005])

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
    /** Makes up an order of this HTS id that is filled at once; how many sessions were told. */
    fill(htsId: string, order: MadeUpOrder): number
  }
>()("observer/simulator/StreamApi") {
  /** Over any market, such as a scripted one. */
  static readonly layerOf = (market: StreamMarket) => Layer.effect(StreamApi, open(market))

  static readonly layer = Layer.unwrap(Effect.map(Market, StreamApi.layerOf))
}

const open = Effect.fn("StreamApi.open")(function* ({ listen, view }: StreamMarket) {
  const { env, seed, slots, stream: rules } = yield* Options
  const options = yield* StreamOptions
  const tap = yield* FrameTap
  const desk = yield* TokenDesk
  const counters = yield* Counters
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const now = () => clock.currentTimeMillisUnsafe()
  const random = seededRandom(seed, 2)
  const seats = makeSeats(rules.heldAfterAbruptCloseSeconds * 1_000)
  const sessions = new Set<Session>()
  let opened = 0

  const wire = makeWire({
    tap,
    counters,
    bufferedBytesMax: rules.bufferedBytesMax,
    nowMs: now,
    later: (delay_ms, task) => void run(Effect.delay(Effect.sync(task), delay_ms))
  })
  const world = { view, options }
  const kinds = catalogue(world)
  const topics = makeTopics(world, wire)
  const notices = makeNotices(world, env === "live" ? "H0STCNI0" : "H0STCNI9", topics, wire)
  listen({
    ...topics.listener,
    onTrade: (issue, trade) => {
      topics.listener.onTrade(issue, trade)
      notices.onTrade(issue, trade)
    }
  })

  const takeSeat = (owner: string, session: Session) => {
    const isTaken = seats.take(owner, session.id, now())
    if (isTaken) session.owner = owner
    return isTaken
  }
  const rulesOfEntry = { slots, env, world, kinds, ordered: tap.refusal, ownerOf: desk.ownerOf, takeSeat }
  const conversation = makeConversation({ rules: rulesOfEntry, topics, notices, counters, wire })

  const onClose = (session: Session, code: number) => {
    sessions.delete(session)
    counters.sessions = sessions.size
    conversation.forget(session)
    if (session.owner !== undefined) seats.leave(session.owner, session.id, cleanCloses.has(code), now())
  }

  const accept = (socket: WebSocket, line: Duplex) => {
    const session: Session = {
      id: ++opened,
      socket,
      line,
      cipher: { iv: random.text(16), key: random.text(32) },
      slots: new Set(),
      owner: undefined,
      lastSentMs: now(),
      unansweredSinceMs: undefined
    }
    sessions.add(session)
    counters.sessions = sessions.size
    socket.on("message", (data) => conversation.hear(session, String(data)))
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
    } else if (duty === "ping" && wire.send(session, pingPongFrame(pingPong(view.nowMs())))) {
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
          clientTracking: false,
          skipUTF8Validation: true
        })
    ),
    (server) =>
      Effect.sync(() => {
        for (const session of sessions) session.socket.terminate()
        server.close()
      })
  )

  return StreamApi.of({
    fill: notices.fill,
    upgrade: (request, socket, head) => {
      socket.on("error", () => socket.destroy())
      if (sessions.size >= rules.sessionsMax) {
        socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n")
      } else {
        server.handleUpgrade(request, socket, head, (accepted) => accept(accepted, socket))
      }
    }
  })
})
