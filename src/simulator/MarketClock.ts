import { Clock, Context, Effect, Layer } from "effect"
import { type ClockLine, marketAt } from "../calendar/ClockLine.ts"
import { marketDate, marketHour, marketInstant } from "../calendar/MarketTime.ts"
import { Options } from "./ExchangeOptions.ts"
import { beginsAtHour, isSpeed, speedText } from "./market/ClockOptions.ts"

/** The exchange's own clock: a straight line over Effect's, which may be laid anew while it runs. */
export class MarketClock extends Context.Service<
  MarketClock,
  {
    /** UTC milliseconds of market time, now. */
    readonly nowMs: () => number
    readonly speed: () => number
    readonly hours: "always" | "calendar"
    /**
     * Goes on from another date (`YYYYMMDD`), hour (`HHMMSS`) or speed; what is not given stays. Answers why not, in
     * plain words.
     */
    set(to: {
      readonly date?: string | undefined
      readonly hour?: string | undefined
      readonly speed?: number | undefined
    }): string | undefined
  }
>()("observer/simulator/MarketClock") {
  static readonly layer = Layer.effect(
    MarketClock,
    Effect.gen(function* () {
      const { clock: options } = yield* Options
      const clock = yield* Clock.Clock
      const wallMs = clock.currentTimeMillisUnsafe()
      let line: ClockLine = options.line ?? { wallMs, marketMs: options.beginsAtMs ?? wallMs, speed: options.speed }
      const nowMs = () => marketAt(line, clock.currentTimeMillisUnsafe())
      return MarketClock.of({
        nowMs,
        speed: () => line.speed,
        hours: options.hours,
        set: ({ date, hour, speed = line.speed }) => {
          if (!isSpeed(speed)) return speedText
          const now = nowMs()
          const moves = date !== undefined || hour !== undefined
          const day = (date ?? marketDate(now)).replaceAll("-", "")
          const marketMs = moves
            ? marketInstant(day, hour ?? (date === undefined ? marketHour(now) : beginsAtHour))
            : now
          if (marketMs === undefined) return "a clock is set to a date YYYYMMDD and an hour HHMMSS"
          line = { wallMs: clock.currentTimeMillisUnsafe(), marketMs, speed }
          return undefined
        }
      })
    })
  )
}
