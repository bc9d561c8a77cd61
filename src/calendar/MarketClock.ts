import { Clock, Context, Effect } from "effect"
import { type ClockLine, marketAt } from "./ClockLine.ts"

/**
 * The market's time at an instant of the machine's clock, both UTC milliseconds. They are the same unless a day is
 * rehearsed (`OBSERVER_CLOCK`). What the record says of the market (receipt, phases, folders) is market time; what waits
 * for machines (time-outs, budgets, silence, staleness) is not.
 */
export interface MarketClockShape {
  at(wallMs: number): number
}

const real: MarketClockShape = { at: (wallMs) => wallMs }

export const MarketClock = Context.Reference<MarketClockShape>("observer/calendar/MarketClock", {
  defaultValue: () => real
})

/** A market clock that follows a line, for a rehearsed day. */
export const rehearsed = (line: ClockLine): MarketClockShape => ({ at: (wallMs) => marketAt(line, wallMs) })

/** Now, in market time. */
export const marketNow: Effect.Effect<number> = Effect.gen(function* () {
  const { at } = yield* MarketClock
  return at(yield* Clock.currentTimeMillis)
})
