import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type RawData, type WebSocket, WebSocketServer } from "ws"

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the script says to one request; `cut` breaks the connection instead. */
export type ScriptedAnswer =
  | { readonly status?: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }
  | "cut"

/** One stream connection, seen from the broker's side. */
export interface SeenConnection {
  readonly socket: WebSocket
  /** Every text the client has sent, in order. */
  readonly said: Array<string>
  readonly controlFrames: Array<string>
  closedWith: number | undefined
}

export interface KisServer {
  readonly restUrl: string
  readonly wsUrl: string
  readonly requests: ReadonlyArray<SeenRequest>
  readonly connections: ReadonlyArray<SeenConnection>
  /** How HTTP requests are answered from now on. */
  answer(script: (request: SeenRequest) => ScriptedAnswer): void
  /** What is done with each text of a client from now on. */
  onText(script: (text: string, connection: SeenConnection) => void): void
  onConnect(script: (connection: SeenConnection) => void): void
}

export const json = (body: unknown, status = 200): ScriptedAnswer => ({ status, text: JSON.stringify(body) })

/** A broker on a loopback port that says what the test tells it to, on real sockets. */
export const makeKisServer: Effect.Effect<KisServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<{ readonly server: KisServer; readonly close: () => void }>((resume) => {
    const requests: Array<SeenRequest> = []
    const connections: Array<SeenConnection> = []
    let answer: (request: SeenRequest) => ScriptedAnswer = () => json({ rt_cd: "1", msg_cd: "UNSCRIPTED" }, 500)
    let onText: (text: string, connection: SeenConnection) => void = () => undefined
    let onConnect: (connection: SeenConnection) => void = () => undefined

    const http = createServer((incoming, outgoing) => {
      void read(incoming).then((seen) => {
        requests.push(seen)
        reply(outgoing, answer(seen))
      })
    })
    const stream = new WebSocketServer({ server: http, skipUTF8Validation: true })
    stream.on("connection", (socket) => {
      const connection: SeenConnection = { socket, said: [], controlFrames: [], closedWith: undefined }
      connections.push(connection)
      socket.on("ping", () => connection.controlFrames.push("ping"))
      socket.on("pong", () => connection.controlFrames.push("pong"))
      socket.on("error", () => undefined)
      socket.on("close", (code) => (connection.closedWith = code))
      socket.on("message", (data) => {
        const text = textOf(data)
        connection.said.push(text)
        onText(text, connection)
      })
      onConnect(connection)
    })
    http.listen(0, "127.0.0.1", () => {
      const { port } = http.address() as AddressInfo
      const server: KisServer = {
        restUrl: `http://127.0.0.1:${port}`,
        wsUrl: `ws://127.0.0.1:${port}`,
        requests,
        connections,
        answer: (script) => void (answer = script),
        onText: (script) => void (onText = script),
        onConnect: (script) => void (onConnect = script)
      }
      const close = () => {
        for (const { socket } of connections) socket.terminate()
        stream.close()
        http.close()
        http.closeAllConnections()
      }
      resume(Effect.succeed({ server, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ server }) => server))

const read = async (incoming: IncomingMessage): Promise<SeenRequest> => {
  const parts: Array<Buffer> = []
  for await (const part of incoming) parts.push(part as Buffer)
  const url = new URL(incoming.url ?? "/", "http://broker")
  return {
    method: incoming.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(parts).toString()
  }
}

const reply = (outgoing: ServerResponse, answer: ScriptedAnswer): void => {
  if (answer === "cut") {
    outgoing.socket?.destroy()
    return
  }
  const headers = { "content-type": "application/json; charset=utf-8", ...answer.headers }
  outgoing.writeHead(answer.status ?? 200, headers).end(answer.text)
}

const textOf = (data: RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString()
