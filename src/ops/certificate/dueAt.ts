import { marketInstant, marketMidnight } from "../../calendar/MarketTime.ts"
import { isTradingDay, type SaidDays } from "../../calendar/TradingDays.ts"
import { dayPhases } from "./DayPhases.ts"

const day_ms = 86_400_000
/** The last records of a day are on their way for a moment, and the day's own words (its coverage) with them. */
const rest_ms = 300_000

/**
 * When a market date (`YYYYMMDD`) is to be certified: five minutes after everything, Nextrade included, has closed, which
 * is 20:05. A market that never closes ends its day at midnight. `undefined` of a day without trading.
 */
export const dueAt = (
  date: string,
  calendar: { readonly mode: "calendar" | "always"; readonly said?: SaidDays | undefined }
): number | undefined => {
  if (calendar.mode === "always") return marketMidnight(date) + day_ms + rest_ms
  if (!isTradingDay(date, calendar.said)) return undefined
  const closedMs = dayPhases(date, calendar).at(-1)?.toMs ?? 0
  return Math.max(closedMs, marketInstant(date, "200000") ?? 0) + rest_ms
}
