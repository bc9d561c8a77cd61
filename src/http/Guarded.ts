import { Clock, Effect, Option, Redacted } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createHash, timingSafeEqual } from "node:crypto"
import { Attempts } from "./guarded/Attempts.ts"
import { refused } from "./refusals.ts"

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Health probes of a container or a balancer carry no token; they say yes, or which part is not ready. */
const open = new Set(["/livez", "/readyz"])

/** Between two warnings of wrong tokens, whoever sends them. */
const warned_ms = 600_000

const wanted = HttpServerResponse.jsonUnsafe(
  { error: "a bearer token is needed: the one in OBSERVER_HTTP_TOKEN" },
  { status: 401, headers: { "www-authenticate": "Bearer" } }
)

const tooMany = (wait_ms: number) => {
  const seconds = Math.ceil(wait_ms / 1_000)
  return HttpServerResponse.jsonUnsafe(
    { error: `too many wrong tokens came from this address; wait ${seconds} seconds before another try` },
    { status: 429, headers: { "retry-after": String(seconds) } }
  )
}

/**
 * Asks every request but the probes for `Authorization: Bearer <token>` when there is a token. The comparison takes the
 * same time whatever was sent, and however much of it. Who sends wrong ones is made to wait, but never who sends the right
 * one: behind a proxy, or a port that a container publishes, all have one address. A token is too long to be guessed
 * (`OBSERVER_HTTP_TOKEN`); the wait bounds what guessing costs here, and says that somebody does.
 */
export const guarded = (token: Redacted.Redacted | undefined) => {
  const expected = token && digest(`Bearer ${Redacted.value(token)}`)
  const attempts = new Attempts()
  let warnedAtMs = Number.NEGATIVE_INFINITY

  const wrong = Effect.fnUntraced(function* (address: string, nowMs: number) {
    attempts.failed(address, nowMs)
    yield* refused("wrongToken")
    if (attempts.wait_ms(address, nowMs) === 0 || nowMs - warnedAtMs < warned_ms) return
    warnedAtMs = nowMs
    yield* Effect.logWarning("an address sends wrong HTTP tokens; it has to wait between two", { address })
  })

  return HttpRouter.middleware(
    (respond) =>
      Effect.gen(function* () {
        const { headers, remoteAddress, url } = yield* HttpServerRequest.HttpServerRequest
        const path = url.split("?")[0] ?? ""
        if (expected === undefined || open.has(path)) return yield* respond
        const given = headers["authorization"]
        if (given === undefined) return yield* Effect.as(refused("noToken"), wanted)
        if (timingSafeEqual(digest(given), expected)) return yield* respond
        const address = Option.getOrElse(remoteAddress, () => "")
        const nowMs = yield* Clock.currentTimeMillis
        const wait_ms = attempts.wait_ms(address, nowMs)
        if (wait_ms > 0) return yield* Effect.as(refused("tooManyWrongTokens"), tooMany(wait_ms))
        yield* wrong(address, nowMs)
        return wanted
      }),
    { global: true }
  )
}
