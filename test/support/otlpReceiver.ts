import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"
import { type OtlpLog, type OtlpPoint, type OtlpSpan, readLogs, readPoints, readSpans } from "./otlpMessages.ts"

/** How a receiver answers: takes what comes, refuses it, or takes it and never answers. */
export type Manner = "takes" | "refuses" | "hangs"

export interface OtlpReceiver {
  readonly url: string
  readonly spans: ReadonlyArray<OtlpSpan>
  readonly points: ReadonlyArray<OtlpPoint>
  readonly logs: ReadonlyArray<OtlpLog>
  /** Every request, whatever became of it. */
  readonly requests: ReadonlyArray<{
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly body: Buffer
  }>
  be(manner: Manner): void
}

/** An OTLP/HTTP receiver on a loopback port that decodes what it is sent, in protobuf alone. */
export const makeOtlpReceiver: Effect.Effect<OtlpReceiver, never, Scope.Scope> = Effect.acquireRelease(
  Effect.callback<{ readonly receiver: OtlpReceiver; readonly close: () => void }>((resume) => {
    const spans: Array<OtlpSpan> = []
    const points: Array<OtlpPoint> = []
    const logs: Array<OtlpLog> = []
    const requests: Array<{ path: string; headers: IncomingHttpHeaders; body: Buffer }> = []
    let manner: Manner = "takes"

    const take = (path: string, body: Buffer): number => {
      if (path === "/v1/traces") spans.push(...readSpans(body))
      else if (path === "/v1/metrics") points.push(...readPoints(body))
      else if (path === "/v1/logs") logs.push(...readLogs(body))
      else return 404
      return 200
    }
    const server = createServer((incoming, outgoing) => {
      void wholeBody(incoming).then((body) => {
        const path = incoming.url ?? ""
        requests.push({ path, headers: incoming.headers, body })
        if (manner === "hangs") return
        const isProtobuf = incoming.headers["content-type"] === "application/x-protobuf"
        const status = manner === "refuses" ? 500 : isProtobuf ? take(path, body) : 415
        outgoing.writeHead(status, { "content-type": "application/x-protobuf" }).end()
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      const receiver = {
        url: `http://127.0.0.1:${port}`,
        spans,
        points,
        logs,
        requests,
        be: (next: Manner) => void (manner = next)
      }
      const close = () => {
        server.close()
        server.closeAllConnections()
      }
      resume(Effect.succeed({ receiver, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ receiver }) => receiver))

const wholeBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of incoming) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  return incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
}
