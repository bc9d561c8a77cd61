import { marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import type { IndexLevel } from "../market/Indices.ts"

const day_ms = 86_400_000

/** Highs and lows of this year, made up around the previous close and never inside today's. */
export const indexYear = ({ high, low, previous }: IndexLevel, date: string) => {
  const yearBegins = marketMidnight(`${date.slice(0, 4)}0102`)
  const dayBefore = (days: number) => marketDate(Math.max(yearBegins, marketMidnight(date) - days * day_ms))
  const isHighToday = high > previous * 1.08
  const isLowToday = low > 0 && low < previous * 0.85
  return {
    high: isHighToday ? high : previous * 1.08,
    low: isLowToday ? low : previous * 0.85,
    highDate: isHighToday ? date : dayBefore(34),
    lowDate: isLowToday ? date : dayBefore(171)
  }
}
