import { Context, Effect, Layer } from "effect"
import { ControlApi, controlPath } from "./ControlApi.ts"
import { Counters } from "./Counters.ts"
import type { ExchangeFailed } from "./ExchangeFailed.ts"
import { type ExchangeOptions, exchangeOptions, Options } from "./ExchangeOptions.ts"
import { Faults } from "./Faults.ts"
import { makeStreamFaults } from "./faults/streamFaults.ts"
import { type DoorAnswer, type HttpCall, openDoor } from "./HttpDoor.ts"
import { KisCalls } from "./KisCalls.ts"
import { Ledger } from "./Ledger.ts"
import { Limits } from "./Limits.ts"
import { Market } from "./Market.ts"
import { MasterFiles } from "./MasterFiles.ts"
import { QuotationApi } from "./QuotationApi.ts"
import type { Stats } from "./stats.ts"
import { FrameTap } from "./stream/FrameTap.ts"
import { StreamApi } from "./StreamApi.ts"
import { TokenDesk } from "./TokenDesk.ts"

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
      const calls = yield* KisCalls
      const control = yield* ControlApi
      const stream = yield* StreamApi

      const answer = (call: HttpCall): Effect.Effect<DoorAnswer> => {
        const { pathname } = call.url
        const isControl = pathname === controlPath || pathname.startsWith(`${controlPath}/`)
        return isControl ? Effect.sync(() => ({ reply: control.answer(call) })) : calls.answer(call)
      }

      const heard = yield* openDoor({ host, port, answer, upgrade: stream.upgrade })
      const authority = `${host.includes(":") ? `[${host}]` : host}:${heard}`
      const restUrl = `http://${authority}`
      return Exchange.of({
        restUrl,
        wsUrl: `ws://${authority}`,
        controlUrl: `${restUrl}${controlPath}/stats`,
        stats: Effect.sync(control.stats)
      })
    })
  )

  /** A whole exchange; what is not given has the defaults of the program. */
  static readonly layer = (given: Partial<ExchangeOptions> = {}): Layer.Layer<Exchange, ExchangeFailed> =>
    Exchange.layerNoDeps.pipe(
      Layer.provide([KisCalls.layer, ControlApi.layer, StreamApi.layer]),
      Layer.provide([QuotationApi.layer, MasterFiles.layer, tap]),
      Layer.provide([TokenDesk.layer, Limits.layer, Faults.layer]),
      Layer.provide([Market.layer, Ledger.layer, Counters.layer]),
      Layer.provide(Layer.succeed(Options, exchangeOptions(given))),
      Layer.fresh
    )
}

/** Every frame on its way to a socket passes the faults and is noted in the ledger. */
const tap = Layer.effect(
  FrameTap,
  Effect.gen(function* () {
    const { board, now } = yield* Faults
    const { note } = yield* Ledger
    return makeStreamFaults(board, now, note)
  })
)
