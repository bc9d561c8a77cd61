import { Result } from "effect"

/** A market clock as a straight line: at wall instant `wallMs` it is `marketMs` (UTC milliseconds), and it runs `speed` times as fast. */
export interface ClockLine {
  readonly wallMs: number
  readonly marketMs: number
  readonly speed: number
}

/** The market's instant at a wall instant, UTC milliseconds. */
export const marketAt = ({ marketMs, speed, wallMs }: ClockLine, atMs: number): number =>
  Math.floor(marketMs + (atMs - wallMs) * speed)

export const speedMax = 1_000
/** Slower, a day of the market would take years, and milliseconds of its clock could not be told apart. */
export const speedMin = 0.001

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/

/** `market` time needs no zone: it is Korea's. */
const readInstant = (text: string, zone: string | undefined): number => {
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(text)
  if (!instant.test(text) || (!zoned && zone === undefined)) return Number.NaN
  return Date.parse(zoned ? text : text + zone)
}

/**
 * Reads `<wall instant>=<market instant>x<speed>`, both ISO 8601: `2026-11-24T09:00:00Z=2026-11-19T08:20:00+09:00x60`.
 * A market instant without a zone is Korean time; fails with a sentence that says what is wrong.
 */
export const parseClockLine = (text: string): Result.Result<ClockLine, string> => {
  const [, wall, market, speedText] = /^([^=]+)=([^=x]+)x([^=x]+)$/.exec(text.trim()) ?? []
  if (wall === undefined || market === undefined || speedText === undefined) {
    return Result.fail(
      "a clock is written <wall instant>=<market instant>x<speed>, as 2026-11-24T00:00:00Z=2026-11-19T08:20:00x60"
    )
  }
  const wallMs = readInstant(wall, undefined)
  const marketMs = readInstant(market, "+09:00")
  const speed = /^\d+(\.\d+)?$/.test(speedText) ? Number(speedText) : Number.NaN
  if (Number.isNaN(wallMs))
    return Result.fail(`the wall instant "${wall}" should be like 2026-11-24T09:00:00Z, with its zone`)
  if (Number.isNaN(marketMs)) return Result.fail(`the market instant "${market}" should be like 2026-11-19T08:20:00`)
  if (!(speed >= speedMin && speed <= speedMax))
    return Result.fail(`the speed "${speedText}" should be at least ${speedMin} and at most ${speedMax}`)
  return Result.succeed({ wallMs, marketMs, speed })
}

/** A clock as `parseClockLine` reads it. */
export const clockText = ({ marketMs, speed, wallMs }: ClockLine): string =>
  `${new Date(wallMs).toISOString()}=${new Date(marketMs).toISOString()}x${speed}`
