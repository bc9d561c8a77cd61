import { Effect } from "effect"
import { request } from "node:http"

/** What became of one call, as a client sees it at the socket. */
export interface RawAnswer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
  /** `ECONNRESET` and its kin; absent when the answer came to its end. */
  readonly failed: string | undefined
}

/** One call on a connection of its own, whatever happens to it. Interrupted, it hangs up. */
export const rawCall = (
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {}
) =>
  Effect.callback<RawAnswer>((resume) => {
    const { body, headers = {}, method = "GET" } = options
    let status: number | undefined
    let heads: RawAnswer["headers"] = {}
    const parts: Array<Buffer> = []
    const end = (failed?: string) =>
      resume(Effect.succeed({ status, headers: heads, body: Buffer.concat(parts).toString(), failed }))
    const sent = request(url, { method, headers, agent: false }, (response) => {
      status = response.statusCode
      heads = response.headers
      response.on("data", (part: Buffer) => parts.push(part))
      response.on("end", () => end())
      response.on("error", (error: NodeJS.ErrnoException) => end(error.code))
    })
    sent.on("error", (error: NodeJS.ErrnoException) => end(error.code))
    sent.end(body)
    return Effect.sync(() => sent.destroy())
  })
