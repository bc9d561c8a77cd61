import { Clock, Context, Effect, Layer, Schedule } from "effect"
import { readFile } from "node:fs/promises"
import { parseUniverse, universeUrl } from "../domain/UniverseFile.ts"
import { ExchangeFailed } from "./ExchangeFailed.ts"
import { Options } from "./ExchangeOptions.ts"
import { type Floor, makeFloor } from "./market/Floor.ts"
import type { Issue } from "./market/Issue.ts"
import type { Trade } from "./market/trading.ts"

/** Sees every trade while the issue is as that trade left it, then the end of the step. Must not throw or wait. */
export interface MarketListener {
  onTrade(issue: Issue, trade: Trade): void
  onStepEnd(): void
}

const universe = Effect.tryPromise({
  try: async () => parseUniverse(await readFile(universeUrl, "utf8")),
  catch: (cause) => new ExchangeFailed({ detail: "cannot read data/universe.csv, which ships with the program", cause })
}).pipe(
  Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die("reading data/universe.csv took 10 s") })
)

/** The one market of the exchange: REST reads its floor, the stream listens to its trades. */
export class Market extends Context.Service<
  Market,
  {
    readonly floor: Floor
    /** Hears of every step until the scope closes. */
    listen(listener: MarketListener): void
  }
>()("observer/simulator/Market") {
  /** Steps by Effect's clock for as long as the layer lives. */
  static readonly layer = Layer.effect(
    Market,
    Effect.gen(function* () {
      const { seed, stepMs, tradesPerSecond } = yield* Options
      const clock = yield* Clock.Clock
      const startMs = clock.currentTimeMillisUnsafe()
      const floor = makeFloor(yield* universe, { seed, tradesPerSecond, stepMs, startMs })
      const listeners: Array<MarketListener> = []
      const onTrade = (issue: Issue, trade: Trade) => {
        for (const listener of listeners) listener.onTrade(issue, trade)
      }
      const step = Effect.sync(() => {
        floor.step(clock.currentTimeMillisUnsafe(), onTrade)
        for (const listener of listeners) listener.onStepEnd()
      })
      yield* step.pipe(
        Effect.catchCause((cause) => Effect.logError("a step of the market failed; it goes on with the next", cause)),
        Effect.schedule(Schedule.fixed(stepMs)),
        Effect.forkScoped
      )
      return Market.of({ floor, listen: (listener) => void listeners.push(listener) })
    })
  )
}
