import { Clock, Context, Effect } from "effect"
import { type ClockLine, marketAt } from "./ClockLine.ts"

/**
 * The market's time at an instant of the machine's clock, both UTC milliseconds. They are the same unless a day is
 * rehearsed (`OBSERVER_CLOCK`). What the record says of the market (receipt, phases, folders) is market time; what waits
 * for machines (time-outs, budgets, silence, staleness) is not.
 */
export interface MarketClockShape {
  at(wallMs: number): number
  /** The first instant of the machine's clock at which the market's has come to `marketMs`. */
  wallAt(marketMs: number): number
  /** Where a rehearsal begins, in market time; a real day has no such place. Before it there was nothing to miss. */
  readonly beginsMs: number | undefined
}

const real: MarketClockShape = { at: (wallMs) => wallMs, wallAt: (marketMs) => marketMs, beginsMs: undefined }

export const MarketClock = Context.Reference<MarketClockShape>("observer/calendar/MarketClock", {
  defaultValue: () => real
})

/** A market clock that follows a line, for a rehearsed day. */
export const rehearsed = (line: ClockLine): MarketClockShape => {
  const at = (wallMs: number) => marketAt(line, wallMs)
  return {
    at,
    wallAt: (marketMs) => {
      let wallMs = Math.ceil(line.wallMs + (marketMs - line.marketMs) / line.speed)
      // The division is rounded, and `at` rounds down: whole milliseconds near it decide.
      while (at(wallMs) < marketMs) wallMs += 1
      while (at(wallMs - 1) >= marketMs) wallMs -= 1
      return wallMs
    },
    beginsMs: line.marketMs
  }
}

/** Now, in market time. */
export const marketNow: Effect.Effect<number> = Effect.gen(function* () {
  const { at } = yield* MarketClock
  return at(yield* Clock.currentTimeMillis)
})

/**
 * The longest sleep in one piece: a machine that was suspended, or whose clock was set, is late by no more. A night has
 * a dozen of them.
 */
const sleep_ms_max = 3_600_000

/** Sleeps towards a market instant: until it has come, and at most an hour. `Infinity` is an hour. */
export const sleepTowards = Effect.fnUntraced(function* (marketMs: number) {
  const { wallAt } = yield* MarketClock
  const now = yield* Clock.currentTimeMillis
  const wait_ms = Number.isFinite(marketMs) ? wallAt(marketMs) - now : sleep_ms_max
  if (wait_ms > 0) yield* Effect.sleep(Math.min(wait_ms, sleep_ms_max))
})

/** Returns at a market instant, exactly; at once when it has passed. */
export const awaitInstant = (marketMs: number): Effect.Effect<void> =>
  Effect.flatMap(marketNow, (now) =>
    now >= marketMs
      ? Effect.void
      : Effect.andThen(
          sleepTowards(marketMs),
          Effect.suspend(() => awaitInstant(marketMs))
        )
  )
