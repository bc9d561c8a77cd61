import { Effect } from "effect"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import type { AddressInfo } from "node:net"

export interface Posted {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An HTTP server on loopback that keeps what it is sent, and answers as it is told to; `hang` is to say nothing at all. */
export const messageServer = (answer: (request: Posted, count: number) => Answer | "hang" = () => ({ status: 200 })) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly posted: Array<Posted>; readonly server: Server }>((resume) => {
      const posted: Array<Posted> = []
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (text: string) => (body += text))
        request.on("end", () => {
          const { headers, method = "", url: path = "" } = request
          const one = { method, path, headers, body }
          posted.push(one)
          const said = answer(one, posted.length)
          if (said !== "hang") response.writeHead(said.status, said.headers).end(said.body ?? "")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, posted, server }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** A port on which nobody listens. */
export const closedPort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})
