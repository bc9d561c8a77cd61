import { Clock, Context, Effect, Layer } from "effect"
import { Counters } from "./Counters.ts"
import type { ExchangeFailed } from "./ExchangeFailed.ts"
import { type ExchangeOptions, exchangeOptions, Options } from "./ExchangeOptions.ts"
import { type HttpCall, openDoor } from "./HttpDoor.ts"
import { Limits } from "./Limits.ts"
import { Market } from "./Market.ts"
import { QuotationApi } from "./QuotationApi.ts"
import type { Refusal } from "./Refusal.ts"
import { jsonReply, oauthRefusal, type Reply } from "./Reply.ts"
import { countReply, type Stats, statsOf } from "./stats.ts"
import { StreamApi } from "./StreamApi.ts"
import { TokenDesk } from "./TokenDesk.ts"

const statsPath = "/simulator/stats"

/**
 * The KIS exchange in a box: REST and stream on one port of this machine, a market of its own behind both. Open for as
 * long as its layer; fails with `ExchangeFailed` when it cannot listen.
 */
export class Exchange extends Context.Service<
  Exchange,
  {
    readonly restUrl: string
    readonly wsUrl: string
    readonly controlUrl: string
    readonly stats: Effect.Effect<Stats>
  }
>()("observer/simulator/Exchange") {
  static readonly layerNoDeps = Layer.effect(
    Exchange,
    Effect.gen(function* () {
      const { host, port } = yield* Options
      const counters = yield* Counters
      const desk = yield* TokenDesk
      const { floor } = yield* Market
      const quotations = yield* QuotationApi
      const stream = yield* StreamApi
      const clock = yield* Clock.Clock
      const startedMs = clock.currentTimeMillisUnsafe()

      const stats = Effect.sync(() => statsOf(counters, floor, clock.currentTimeMillisUnsafe() - startedMs))
      const oauth = new Map<string, (body: string) => Effect.Effect<object, Refusal>>([
        ["/oauth2/tokenP", desk.issue],
        ["/oauth2/revokeP", desk.revoke],
        ["/oauth2/Approval", desk.approve]
      ])
      const answerKis = (call: HttpCall): Effect.Effect<Reply> => {
        const grant = call.method === "POST" ? oauth.get(call.url.pathname) : undefined
        return grant === undefined
          ? quotations.answer(call)
          : Effect.match(grant(call.body), { onSuccess: (body) => jsonReply(body), onFailure: oauthRefusal })
      }

      const heard = yield* openDoor({
        host,
        port,
        answer: (call) =>
          call.url.pathname === statsPath
            ? Effect.map(stats, (body) => jsonReply(body))
            : Effect.tap(answerKis(call), (reply) => Effect.sync(() => countReply(counters, reply))),
        upgrade: stream.upgrade
      })
      const authority = `${host.includes(":") ? `[${host}]` : host}:${heard}`
      const restUrl = `http://${authority}`
      return Exchange.of({ restUrl, wsUrl: `ws://${authority}`, controlUrl: restUrl + statsPath, stats })
    })
  )

  /** A whole exchange; what is not given has the defaults of the program. */
  static readonly layer = (given: Partial<ExchangeOptions> = {}): Layer.Layer<Exchange, ExchangeFailed> =>
    Exchange.layerNoDeps.pipe(
      Layer.provide([QuotationApi.layer, StreamApi.layer]),
      Layer.provide([TokenDesk.layer, Limits.layer, Market.layer]),
      Layer.provide(Counters.layer),
      Layer.provide(Layer.succeed(Options, exchangeOptions(given))),
      Layer.fresh
    )
}
