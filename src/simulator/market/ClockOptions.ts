import { Result } from "effect"
import { type ClockLine, parseClockLine, speedMax, speedMin } from "../../calendar/ClockLine.ts"
import { marketInstant } from "../../calendar/MarketTime.ts"

/** When the market is, and how fast it goes. */
export interface ClockOptions {
  /** `always`: continuous trading at any hour of any day; `calendar`: by the dated tables. */
  readonly hours: "always" | "calendar"
  /** The market's instant when the exchange begins, UTC milliseconds; absent: the wall's. */
  readonly beginsAtMs: number | undefined
  /** Seconds of market time in a second of the wall's. */
  readonly speed: number
  /** Ties both clocks for good, wherever the exchange begins; stands above `beginsAtMs` and `speed`. */
  readonly line: ClockLine | undefined
}

/** Real time, and a market that never closes. */
export const clockOptions: ClockOptions = { hours: "always", beginsAtMs: undefined, speed: 1, line: undefined }

/** Ten minutes before the first auction of an ordinary day. */
export const beginsAtHour = "082000"

export const speedText = `the speed should be at least ${speedMin} and at most ${speedMax}`

export const isSpeed = (speed: number): boolean => speed >= speedMin && speed <= speedMax

/**
 * The clock that a user asked for: `date` as `2026-11-19` or `20261119`, `time` as `HHMMSS`, or the `line`
 * (`<wall instant>=<market instant>x<speed>`). Fails with a sentence that says what is wrong.
 */
export const clockOptionsOf = (given: {
  readonly date?: string | undefined
  readonly time?: string | undefined
  readonly speed?: number | undefined
  readonly line?: string | undefined
}): Result.Result<ClockOptions, string> => {
  const { date, line, speed = 1, time } = given
  if (line !== undefined) {
    if (date !== undefined || time !== undefined || given.speed !== undefined) {
      return Result.fail("a clock that is tied to the wall's has its own date, time and speed: leave these away")
    }
    return Result.map(parseClockLine(line), (tied) => ({
      hours: "calendar",
      beginsAtMs: undefined,
      speed: tied.speed,
      line: tied
    }))
  }
  if (!isSpeed(speed)) return Result.fail(speedText)
  if (date === undefined) {
    if (time !== undefined) return Result.fail("a time needs a date")
    return Result.succeed({ ...clockOptions, speed })
  }
  const day = date.replace(/^(\d{4})-(\d{2})-(\d{2})$/, "$1$2$3")
  if (marketInstant(day, "000000") === undefined) return Result.fail(`there is no date "${date}": write 2026-11-19`)
  const beginsAtMs = marketInstant(day, time ?? beginsAtHour)
  if (beginsAtMs === undefined) return Result.fail(`"${time}" is no time of day: write HHMMSS`)
  return Result.succeed({ hours: "calendar", beginsAtMs, speed, line: undefined })
}
