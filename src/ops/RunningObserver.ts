import { Data, Effect, Redacted } from "effect"
import { request } from "node:http"
import { systemCode } from "../domain/systemCode.ts"

/** Where an observer answers, and the token it asks for. */
export interface ObserverAddress {
  readonly url: string
  readonly token: Redacted.Redacted | undefined
}

/** What came back for a question; `body` is text of any kind. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** Nothing listens there, or it says nothing in time. */
export class NobodyAnswers extends Data.TaggedError("NobodyAnswers")<{ readonly url: string; readonly code: string }> {
  override get message() {
    return `nobody answers at ${this.url} (${this.code})`
  }
}

/** A report of eight accounts and a hundred actors is a tenth of it. */
const body_bytes_max = 8_000_000

/** Asks a running observer. This is on the way of a probe that runs twice a minute: it takes no more than Node has. */
export const askObserver = (
  { token, url }: ObserverAddress,
  path: string,
  limit_ms: number
): Effect.Effect<Answer, NobodyAnswers> =>
  Effect.callback<Answer, NobodyAnswers>((resume, signal) => {
    const failed = (cause: unknown) => resume(Effect.fail(new NobodyAnswers({ url, code: systemCode(cause) })))
    const headers = token === undefined ? {} : { authorization: `Bearer ${Redacted.value(token)}` }
    const asking = request(new URL(path, url), { signal, agent: false, headers }, (response) => {
      const chunks: Array<Buffer> = []
      let bytes = 0
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > body_bytes_max) response.destroy(new Error("too much was answered"))
        else chunks.push(chunk)
      })
      response.once("error", failed)
      response.once("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }))
      )
    })
    asking.once("error", failed)
    asking.end()
  }).pipe(
    Effect.timeoutOrElse({
      duration: limit_ms,
      orElse: () => Effect.fail(new NobodyAnswers({ url, code: `no answer in ${limit_ms / 1_000} s` }))
    })
  )
