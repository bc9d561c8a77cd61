import { Context, Effect, Layer, Option, Semaphore } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { Late } from "./Schemas.ts"

/** Answers that may be in the making at once, those that wait for another included. */
export const readings_max = 4
const retryAfter_seconds = 5

/**
 * Keeps requests that read the archive's files to a few: what is read for them is the disk's and the processor's time, which
 * the record needs more. One too many is refused at once.
 */
export class Readings extends Context.Service<
  Readings,
  {
    few<A, E, R>(answer: Effect.Effect<A, E, R>): Effect.Effect<A, E | Late, R | HttpServerRequest.HttpServerRequest>
  }
>()("observer/http/api/Readings") {
  static readonly layer = Layer.effect(
    Readings,
    Effect.map(Semaphore.make(readings_max), (places) => ({
      few: (answer) =>
        Effect.flatMap(
          places.withPermitsIfAvailable(1)(answer),
          Option.match({ onNone: () => busy, onSome: Effect.succeed })
        )
    }))
  )
}

const busy = Effect.andThen(
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(retryAfter_seconds)))
  ),
  new Late({
    error: `${readings_max} answers from the archive are being made; ask again in ${retryAfter_seconds} seconds`
  })
)
