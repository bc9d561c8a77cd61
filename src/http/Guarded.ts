import { Effect, Redacted } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Health probes of a container or a balancer carry no token; they say yes, or which part is not ready. */
const open = new Set(["/livez", "/readyz"])

/**
 * Asks every request but the probes for `Authorization: Bearer <token>` when there is a token, and adds the headers a
 * browser should see. The comparison takes the same time whatever was sent.
 */
export const guarded = (token: Redacted.Redacted | undefined) => {
  const expected = token && digest(`Bearer ${Redacted.value(token)}`)
  return HttpRouter.middleware(
    (respond) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const path = request.url.split("?")[0] ?? ""
        const given = digest(request.headers["authorization"] ?? "")
        const allowed = expected === undefined || open.has(path) || timingSafeEqual(given, expected)
        const response = allowed
          ? yield* respond
          : HttpServerResponse.jsonUnsafe(
              { error: "a bearer token is needed: the one in OBSERVER_HTTP_TOKEN" },
              { status: 401, headers: { "www-authenticate": "Bearer" } }
            )
        return HttpServerResponse.setHeaders(response, {
          "x-content-type-options": "nosniff",
          "cache-control": "no-store"
        })
      }),
    { global: true }
  )
}
