import { Clock, Effect } from "effect"
import { annotateSpan, inSpan } from "../actor/inSpan.ts"
import type { KisError } from "./KisError.ts"
import type { KisRequest } from "./KisHttp.ts"

/** Of a call's span, milliseconds. */
const sinceMs = (beganNanos: bigint, nowNanos: bigint) => Math.round(Number(nowNanos - beganNanos) / 1e6)

/**
 * One call in a span of its own: which, whose, for which part of the program, how long it waited for the budget and how
 * it ended. `spend` runs the exchange when the budget has room. Neither address nor headers are told: they hold secrets.
 */
export const tracedCall = <A, R>(
  { headers, operation }: KisRequest,
  whose: { readonly account: string; readonly caller: string },
  exchange: Effect.Effect<A, KisError, R>,
  spend: (exchange: Effect.Effect<A, KisError, R>) => Effect.Effect<A, KisError, R>
): Effect.Effect<A, KisError, R> => {
  const trId = headers?.["tr_id"]
  const attributes = { ...whose, operation, ...(typeof trId === "string" ? { tr_id: trId } : {}) }
  const call = Effect.flatMap(Clock.monotonicTimeNanos, (beganNanos) => {
    const placed = Effect.flatMap(Clock.monotonicTimeNanos, (nowNanos) =>
      annotateSpan({ wait_ms: sinceMs(beganNanos, nowNanos) })
    )
    return spend(Effect.andThen(placed, exchange)).pipe(
      Effect.tap(() => annotateSpan({ outcome: "answered" })),
      Effect.tapError((error) => annotateSpan({ outcome: error._tag }))
    )
  })
  return Effect.withFiber(({ cache }) =>
    cache.tracer === undefined ? spend(exchange) : inSpan(call, "kis.call", { kind: "client", attributes })
  )
}
