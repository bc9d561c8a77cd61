import { Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

/**
 * Everybody whom the observer tells of itself: a collector of traces, metrics and logs, a chat, a dead-man's switch. It says
 * yes to all and keeps the bodies, latin1; texts in protobuf are plain bytes. Addresses and heads are not kept: the secret
 * of each belongs there.
 */
export const makeReceiver = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly heard: () => string; readonly close: () => void }>((resume) => {
    const bodies: Array<Buffer> = []
    const server = createServer((request, response) => {
      const parts: Array<Buffer> = []
      request.on("data", (part: Buffer) => parts.push(part))
      request.on("end", () => {
        const body = Buffer.concat(parts)
        bodies.push(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body)
        response.writeHead(200, { "content-type": request.headers["content-type"] ?? "text/plain" }).end()
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const heard = () => Buffer.concat(bodies).toString("latin1")
      resume(Effect.succeed({ url, heard, close: () => (server.close(), server.closeAllConnections()) }))
    })
  }),
  ({ close }) => Effect.sync(close)
)
