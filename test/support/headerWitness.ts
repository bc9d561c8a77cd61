import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, request } from "node:http"
import type { AddressInfo } from "node:net"

export interface HeaderWitness {
  readonly url: string
  readonly seen: ReadonlyArray<{ readonly path: string; readonly headers: IncomingHttpHeaders }>
  /** What was answered, as text. */
  readonly answers: ReadonlyArray<string>
}

/** Stands before an HTTP server on loopback, passes everything on both ways, and remembers what was sent. */
export const makeHeaderWitness = (target: string): Effect.Effect<HeaderWitness, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<HeaderWitness & { readonly close: () => void }>((resume) => {
      const seen: Array<{ path: string; headers: IncomingHttpHeaders }> = []
      const answers: Array<string> = []
      const server = createServer((incoming, outgoing) => {
        seen.push({ path: incoming.url ?? "", headers: incoming.headers })
        const { headers, method } = incoming
        const passed = request(new URL(incoming.url ?? "/", target), { method, headers }, (answer) => {
          const parts: Array<Buffer> = []
          answer.on("data", (part: Buffer) => parts.push(part))
          answer.on("end", () => answers.push(Buffer.concat(parts).toString()))
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(outgoing)
        })
        passed.on("error", () => outgoing.destroy())
        incoming.pipe(passed)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, answers, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
