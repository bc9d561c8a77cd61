import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { refused } from "./refusals.ts"
import { headers_max } from "./nodeServer.ts"

/** The longest address that means something here has some 100 characters. */
export const url_length_max = 2_048

const refusal = (status: number, error: string) =>
  HttpServerResponse.jsonUnsafe({ error }, { status, headers: { connection: "close" } })

/** Refuses a request whose address is too long or whose headers are too many, before anything is made of it. */
export const requestLimits = HttpRouter.middleware(
  (respond) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, url }) => {
      if (url.length > url_length_max)
        return Effect.as(refused("url"), refusal(414, `an address may have at most ${url_length_max} characters`))
      if (Object.keys(headers).length > headers_max)
        return Effect.as(refused("headers"), refusal(431, `a request may have at most ${headers_max} headers`))
      return respond
    }),
  { global: true }
)
