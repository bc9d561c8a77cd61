import { Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

/**
 * Everybody whom the observer tells of itself: a collector of traces, metrics and logs, a chat, a dead-man's switch. It says
 * yes to all and keeps the bodies, latin1; texts in protobuf are plain bytes. Those of one of them are told by a part of its path. Addresses and heads are not kept: the secret
 * of each belongs there.
 */
export const makeReceiver = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly heard: (part?: string) => string; readonly close: () => void }>(
    (resume) => {
      const told: Array<{ readonly url: string; readonly body: Buffer }> = []
      const server = createServer((request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", () => {
          const body = Buffer.concat(parts)
          const isPacked = request.headers["content-encoding"] === "gzip"
          told.push({ url: request.url ?? "", body: isPacked ? gunzipSync(body) : body })
          response.writeHead(200, { "content-type": request.headers["content-type"] ?? "text/plain" }).end()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const heard = (part = "") =>
          Buffer.concat(told.flatMap(({ body, url: asked }) => (asked.includes(part) ? [body] : []))).toString("latin1")
        resume(Effect.succeed({ url, heard, close: () => (server.close(), server.closeAllConnections()) }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)
