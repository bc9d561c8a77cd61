import { ByteSize, Effect } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

/** The longest body that makes sense names every symbol of the market twice. */
export const body_bytes_max = 131_072

const tooLong = HttpServerResponse.jsonUnsafe(
  { error: `a body may have at most ${body_bytes_max} bytes` },
  { status: 413, headers: { connection: "close" } }
)

/** Refuses a body that is too long: before it is read where its length is said, else when it has come to that length. */
export const bodyLimit = HttpRouter.middleware(
  (respond) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
      Number(headers["content-length"] ?? 0) > body_bytes_max
        ? Effect.succeed(tooLong)
        : Effect.provideService(respond, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(body_bytes_max))
    ),
  { global: true }
)
