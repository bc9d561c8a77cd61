import { Clock, Context, Effect, Layer } from "effect"
import { Counters } from "./Counters.ts"
import { controlRoutes } from "./control/routes.ts"
import { Options } from "./ExchangeOptions.ts"
import { Faults } from "./Faults.ts"
import type { HttpCall } from "./HttpDoor.ts"
import { Ledger } from "./Ledger.ts"
import { Market } from "./Market.ts"
import { jsonReply, type Reply } from "./Reply.ts"
import { type Stats, statsOf } from "./stats.ts"

/** Everything below this is ours, not KIS's. */
export const controlPath = "/simulator"

/**
 * What may be asked of the exchange and done to it while it runs, apart from the KIS paths: counts, faults, market,
 * ledger. Only for callers on the same machine; a bad request is answered with what is allowed, and changes nothing.
 */
export class ControlApi extends Context.Service<
  ControlApi,
  {
    answer(call: HttpCall): Reply
    readonly stats: () => Stats
  }
>()("observer/simulator/ControlApi") {
  static readonly layer = Layer.effect(
    ControlApi,
    Effect.gen(function* () {
      const options = yield* Options
      const counters = yield* Counters
      const faults = yield* Faults
      const ledger = yield* Ledger
      const market = yield* Market
      const clock = yield* Clock.Clock
      const startedMs = clock.currentTimeMillisUnsafe()
      const stats = () => statsOf(counters, market.view, clock.currentTimeMillisUnsafe() - startedMs)
      const routes = controlRoutes({ options, faults, ledger, market, stats })
      const allowed = routes.map(({ does, method, path }) => `${method} ${controlPath}${path}: ${does}`)

      return ControlApi.of({
        stats,
        answer: (call) => {
          if (!call.loopback) return problem(403, "the control API answers callers on the same machine only")
          const path = call.url.pathname.slice(controlPath.length)
          const here = routes.filter((route) => route.match(path) !== undefined)
          const route = here.find(({ method }) => method === call.method)
          if (route !== undefined) return route.answer(call, route.match(path) ?? "")
          if (path === "" || path === "/") return jsonReply({ allowed })
          return here.length > 0
            ? problem(
                405,
                `${call.method} is not for this path`,
                here.map(({ method }) => method)
              )
            : problem(404, "there is no such control path", allowed)
        }
      })
    })
  )
}

const problem = (status: number, error: string, allowed?: ReadonlyArray<string>): Reply =>
  jsonReply({ error, ...(allowed && { allowed }) }, {}, status)
