import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { securityHeaders } from "./securityHeaders.ts"

/** How much one client may take of the server. Times in milliseconds. */
export interface ServerLimits {
  readonly connections_max: number
  /** From the first byte of a request to the end of its head. */
  readonly head_timeout_ms: number
  /** From the first byte of a request to the end of its body. */
  readonly request_timeout_ms: number
  /** Between two requests. */
  readonly keepAlive_ms: number
  /** How often the first two are looked at; a slow sender has so much more time. */
  readonly check_ms: number
  /** Of a connection on which nothing is read or written. */
  readonly quiet_ms: number
}

export const serverLimits: ServerLimits = {
  // People, scrapers and probes.
  connections_max: 128,
  head_timeout_ms: 10_000,
  request_timeout_ms: 20_000,
  keepAlive_ms: 5_000,
  check_ms: 1_000,
  // The longest answer is in the making for 60 seconds.
  quiet_ms: 90_000
}

/** Path, query and headers of one request together; what a browser and a proxy send has some 2 KB. */
const head_bytes_max = 16_384
export const headers_max = 64

/**
 * Every answer bears the headers of `securityHeaders`, those that never reach a route included. And Node 20.19 compares a
 * `content-length` that was given as text with the number of bytes and finds "3" unlike 3, when it is asked to be strict,
 * as the HTTP platform asks it; every answer with a body would then fail. The lengths that are sent here are made of the
 * bodies, so nothing is lost by not comparing them.
 */
class GuardedResponse extends ServerResponse<IncomingMessage> {
  constructor(request: IncomingMessage) {
    super(request)
    Object.defineProperty(this, "strictContentLength", { get: () => false, set: () => {} })
    for (const [name, value] of Object.entries(securityHeaders)) this.setHeader(name, value)
  }
}

const bare = (status: number): string => {
  const headers = { ...securityHeaders, "content-length": "0", connection: "close" }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`
}

const statusOf = ({ code }: NodeJS.ErrnoException): number =>
  code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400

/** Answers what is no request; to whom nothing can be said, or a part of an answer was, the connection is cut. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  socket.end(bare(statusOf(error)), () => socket.destroy())
}

/**
 * A plain HTTP server that behaves alike on every Node that is supported, takes so much of each client and no more, and
 * does not wait for those that send slowly.
 */
export const makeNodeServer = (limits: ServerLimits = serverLimits): Server => {
  const server = createServer({
    ServerResponse: GuardedResponse,
    maxHeaderSize: head_bytes_max,
    headersTimeout: limits.head_timeout_ms,
    requestTimeout: limits.request_timeout_ms,
    keepAliveTimeout: limits.keepAlive_ms,
    connectionsCheckingInterval: limits.check_ms,
    requireHostHeader: true
  })
  // Node leaves out the headers beyond this; one more than is allowed is enough to see that there were too many.
  server.maxHeadersCount = headers_max + 1
  server.maxConnections = limits.connections_max
  server.setTimeout(limits.quiet_ms)
  server.on("clientError", refuse)
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { "content-length": "0", connection: "close" }).end()
  })
  // Nothing here is upgraded. Where nobody listens for it Node answers such a request as a plain one, within the limits
  // above, which do not hold for a connection that has been handed over.
  const on = server.on.bind(server) as (event: string, listener: () => void) => Server
  return Object.assign(server, {
    on: (event: string, listener: () => void) => (event === "upgrade" ? server : on(event, listener))
  })
}
