import { ByteSize, Clock, Effect, Redacted } from "effect"
import { HttpClient, HttpClientRequest, HttpIncomingMessage } from "effect/http"
import { reasonOf, userAgent } from "../../../kis/KisHttp.ts"
import { DeliveryFailed } from "../Channel.ts"
import { secretParts, without } from "./secretParts.ts"

export interface Posting {
  readonly channel: string
  /** Most addresses of channels are secrets as a whole. */
  readonly url: Redacted.Redacted
  /** Absent: the address is only called up. */
  readonly json?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How long the other side asks to wait, in its own words in the body of a refusal. */
  readonly retryAfterIn?: (body: string) => number | undefined
}

/** One try has an answer by then. */
const answer_timeout = "10 seconds"
/** Of an answer only a refusal's words are of interest. */
const answer_bytes_max = 16_384
const words_max = 200

/** `Retry-After` in either of its forms. */
const retryAfterOf = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined
  const wait_ms = /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(wait_ms) && wait_ms >= 0 ? wait_ms : undefined
}

const isTransient = (status: number) => status === 408 || status === 425 || status === 429 || status >= 500

/**
 * One HTTP exchange of a channel. A redirect is not followed: the message and the address's secret are meant for the host
 * that was set. The address is in no span, no error and no log line.
 */
export const post = Effect.fnUntraced(function* ({ channel, headers, json, retryAfterIn, url }: Posting) {
  const client = yield* HttpClient.HttpClient
  const address = Redacted.value(url)
  const { pathname } = new URL(address)
  const secrets = [...secretParts(address), ...(pathname.length > 1 ? [pathname] : [])]
  const fail = (reason: string, isRetryable: boolean, retryAfter_ms?: number) =>
    new DeliveryFailed({
      channel,
      reason: without(secrets, reason),
      isRetryable,
      ...(retryAfter_ms === undefined ? {} : { retryAfter_ms })
    })
  const base = HttpClientRequest.make(json === undefined ? "GET" : "POST")(address).pipe(
    HttpClientRequest.setHeaders({ "user-agent": userAgent, ...headers })
  )
  const request = json === undefined ? base : HttpClientRequest.bodyText(base, json, "application/json; charset=utf-8")
  const { body, retryAfter, status } = yield* client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(
        Effect.orElseSucceed(response.text, () => ""),
        (text) => ({
          status: response.status,
          retryAfter: response.headers["retry-after"],
          body: text
        })
      )
    ),
    Effect.timeout(answer_timeout),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(answer_bytes_max)),
    Effect.mapError((error) => fail(reasonOf(error), true))
  )
  if (status >= 200 && status < 300) return
  if (status >= 300 && status < 400) {
    return yield* fail(`answers with a redirect (${status}), which is not followed; set the final address`, false)
  }
  const nowMs = yield* Clock.currentTimeMillis
  const words = body.replace(/\s+/g, " ").trim().slice(0, words_max)
  const reason = `answers ${status}${words === "" ? "" : `: ${words}`}`
  return yield* fail(reason, isTransient(status), retryAfterIn?.(body) ?? retryAfterOf(retryAfter, nowMs))
})
