import { Context, Effect, Layer, Schedule } from "effect"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseUniverse, universeUrl } from "../domain/UniverseFile.ts"
import { ExchangeFailed } from "./ExchangeFailed.ts"
import { Options } from "./ExchangeOptions.ts"
import { makeAudience } from "./market/Audience.ts"
import type { MarketControl } from "./market/MarketControl.ts"
import type { MarketListener, MarketView } from "./market/MarketView.ts"
import { makePace } from "./market/Pace.ts"
import { makeTradingFloor } from "./market/TradingFloor.ts"
import { MarketClock } from "./MarketClock.ts"

/** The small market, from the broker's master file of 2026-04; the same columns. */
const konexUrl = new URL("konex.csv", universeUrl)

const issuesOf = (url: URL) =>
  Effect.tryPromise({
    try: async () => parseUniverse(await readFile(url, "utf8")),
    catch: (cause) =>
      new ExchangeFailed({ detail: `cannot read ${fileURLToPath(url)}, which ships with the program`, cause })
  }).pipe(
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () => Effect.die(`reading ${fileURLToPath(url)} took 10 s`)
    })
  )

const universe = Effect.map(Effect.all([issuesOf(universeUrl), issuesOf(konexUrl)]), (parts) => parts.flat())

/** The one market of the exchange: REST reads its view, the stream listens to its trades, the control address commands it. */
export class Market extends Context.Service<
  Market,
  {
    readonly view: MarketView
    readonly control: MarketControl
    /** Hears of every step until the scope closes. */
    listen(listener: Partial<MarketListener>): void
  }
>()("observer/simulator/Market") {
  /** Steps by its clock for as long as the layer lives. */
  static readonly layerNoDeps = Layer.effect(
    Market,
    Effect.gen(function* () {
      const { market: rules, seed, stepMs, tradesPerSecond } = yield* Options
      const clock = yield* MarketClock
      const audience = makeAudience()
      const pace = makePace(stepMs, rules.tradesPerWallSecondMax)
      const startMs = pace.begin(clock.nowMs(), clock.speed())
      const floor = makeTradingFloor(
        yield* universe,
        { ...rules, seed, tradesPerSecond, hours: clock.hours, startMs },
        audience.listener
      )
      const { step, view } = floor
      yield* Effect.sync(() => {
        const { forMs, instants, part } = pace.due(clock.nowMs(), clock.speed(), tradesPerSecond)
        for (const atMs of instants) step(atMs, forMs, part)
      }).pipe(
        Effect.catchCause((cause) => Effect.logError("a step of the market failed; it goes on with the next", cause)),
        Effect.schedule(Schedule.fixed(stepMs)),
        Effect.forkScoped
      )
      const control: MarketControl = {
        ...floor.control,
        setClock: (to) => {
          const refused = clock.set(to)
          if (refused !== undefined) return refused
          if (to.date !== undefined || to.hour !== undefined) floor.reopen(pace.begin(clock.nowMs(), clock.speed()))
          return undefined
        }
      }
      return Market.of({ view, control, listen: audience.add })
    })
  )

  static readonly layer = Layer.provide(Market.layerNoDeps, MarketClock.layer)
}
