import { marketMidnight, marketWeekday } from "../../calendar/MarketTime.ts"
import type { DayBar } from "../market/MarketView.ts"
import type { Figures } from "./Figures.ts"

export type Period = "D" | "W" | "M" | "Y"

const day_ms = 86_400_000

/** Today as a bar; absent before its first trade. */
export const todayBar = (date: string, previousClose: number, figures: Figures): DayBar | undefined =>
  figures.open === 0
    ? undefined
    : {
        date,
        open: figures.open,
        high: figures.high,
        low: figures.low,
        close: figures.price,
        volume: figures.volume,
        value: figures.value,
        previousClose
      }

/** The same for all days of one week, month or year. */
const periodOf = (date: string, period: Period): string => {
  switch (period) {
    case "D":
      return date
    case "W": {
      const midnight = marketMidnight(date)
      return String(Math.round(midnight / day_ms) - ((marketWeekday(midnight) + 6) % 7))
    }
    case "M":
      return date.slice(0, 6)
    case "Y":
      return date.slice(0, 4)
  }
}

/** Days (newest first) drawn together; a bar bears the date of its last trading day, as in the portal's example. */
export const periodBars = (days: ReadonlyArray<DayBar>, period: Period): ReadonlyArray<DayBar> => {
  if (period === "D") return days
  const bars = new Map<string, DayBar>()
  for (const day of days) {
    const key = periodOf(day.date, period)
    const later = bars.get(key)
    bars.set(
      key,
      later === undefined
        ? day
        : {
            ...later,
            open: day.open,
            high: Math.max(later.high, day.high),
            low: Math.min(later.low, day.low),
            volume: later.volume + day.volume,
            value: later.value + day.value,
            previousClose: day.previousClose
          }
    )
  }
  return [...bars.values()]
}
