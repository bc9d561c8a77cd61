import { Clock, Effect, FiberSet, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { ExchangeFailed } from "./ExchangeFailed.ts"
import type { Wire } from "./faults/callFaults.ts"
import { send } from "./faults/wire.ts"
import { jsonReply, type Reply } from "./Reply.ts"

/** One HTTP call, its body read. */
export interface HttpCall {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The monotonic clock when the head was seen, microseconds. */
  readonly seenAtMicros: number
  /** Whether the caller is on this machine. */
  readonly loopback: boolean
}

/** What is sent, and how it leaves. */
export interface DoorAnswer {
  readonly reply: Reply
  readonly wire?: Wire
  /** Told once, when it is known whether the whole answer has left. */
  readonly onEnd?: (whole: boolean) => void
}

export interface DoorOptions {
  readonly host: string
  readonly port: number
  answer(call: HttpCall): Effect.Effect<DoorAnswer>
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

const bodyBytesMax = 65_536
const clients_ms = 30_000

const tooLarge: Reply = jsonReply(
  { error: `the body is larger than ${bodyBytesMax} bytes`, hint: "no KIS call needs one that large" },
  { connection: "close" },
  413
)
const badRequest: Reply = jsonReply(
  { error: "the request is not one this server can read" },
  { connection: "close" },
  400
)
const crashed: Reply = jsonReply({ rt_cd: "1", msg1: "서버 에러가 발생했습니다.", msg_cd: "EGW00002" }, {}, 500)

const urlOf = (request: IncomingMessage): URL | undefined => {
  // Clients that join a host ending in / with a path beginning with one ask for //uapi, and are served.
  const target = `http://simulator${request.url?.replace(/^\/+/, "/") ?? ""}`
  return request.url?.startsWith("/") && URL.canParse(target) ? new URL(target) : undefined
}

/** Reads at most 64 KiB; `undefined` when there was more, or when the client went away before the end. */
const readBody = (request: IncomingMessage): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    if (request.method === "GET") {
      // No call reads a body here; not waiting for one keeps calls in the order in which their heads were seen.
      request.resume()
      return resume(Effect.succeed(""))
    }
    const chunks: Array<Buffer> = []
    let bytes = 0
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bodyBytesMax) resume(Effect.undefined)
      else chunks.push(chunk)
    })
    request.on("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8"))))
    request.on("error", () => resume(Effect.undefined))
  })

const isLoopback = (address: string | undefined): boolean =>
  address === "::1" || (address?.replace("::ffff:", "").startsWith("127.") ?? false)

/**
 * A port on which KIS is heard, over `node:http` itself: a simulator of a server must choose every status, header and
 * byte. Answers run as fibers of the scope, so closing it ends them; whatever goes wrong with one call stays with it.
 */
export const openDoor = Effect.fn("HttpDoor.open")(function* (
  options: DoorOptions
): Effect.fn.Return<number, ExchangeFailed, Scope.Scope> {
  const clock = yield* Clock.Clock
  const run = yield* FiberSet.makeRuntime<never, void, never>()

  const serve = Effect.fnUntraced(
    function* (request: IncomingMessage, response: ServerResponse, seenAtMicros: number) {
      const url = urlOf(request)
      const body = yield* readBody(request)
      if (url === undefined) return yield* send(response, { reply: badRequest })
      if (body === undefined) return yield* send(response, { reply: tooLarge })
      const { headers, method = "GET" } = request
      const loopback = isLoopback(request.socket.remoteAddress)
      yield* send(response, yield* options.answer({ method, url, headers, body, seenAtMicros, loopback }))
    },
    (effect, _request, response) =>
      Effect.catchCause(effect, (cause) =>
        Effect.andThen(
          Effect.logError("a call crashed the simulator's answer", cause),
          send(response, { reply: crashed })
        )
      )
  )

  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: clients_ms, requestTimeout: clients_ms })
  server.on("request", (request, response) => {
    run(serve(request, response, Number(clock.monotonicTimeNanosUnsafe() / 1_000n)))
  })
  // `closeAllConnections` leaves out what was upgraded, and `close` would wait for it.
  const upgraded = new Set<Duplex>()
  server.on("upgrade", (request, socket, head) => {
    upgraded.add(socket)
    socket.on("close", () => upgraded.delete(socket))
    options.upgrade(request, socket, head)
  })
  server.on("clientError", (_error, socket) => {
    if (!socket.writable) socket.destroy()
    else
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n${badRequest.body}`
      )
  })

  const listening = Effect.callback<void, ExchangeFailed>((resume) => {
    const place = `${options.host}:${options.port}`
    const failed = (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(new ExchangeFailed({ detail: reasonOf(cause, place), cause })))
    server.once("error", failed)
    server.listen(options.port, options.host, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })
  const closing = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
    for (const socket of upgraded) socket.destroy()
  }).pipe(Effect.timeoutOption("2 seconds"))

  yield* Effect.acquireRelease(listening, () => closing)
  return (server.address() as AddressInfo).port
})

const reasonOf = (cause: NodeJS.ErrnoException, place: string): string => {
  if (cause.code === "EADDRINUSE")
    return `${place} is in use by another program; choose another --port (0 takes any free one)`
  if (cause.code === "EACCES") return `no permission to listen on ${place}; choose a --port above 1023`
  return `cannot listen on ${place} (${cause.code ?? cause.message})`
}
