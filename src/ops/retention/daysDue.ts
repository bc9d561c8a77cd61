import { dayFolder, marketDate, marketMidnight } from "../../calendar/MarketTime.ts"

const day_ms = 86_400_000
/** Before it a date is a broken clock's. */
const plausibleFrom = "1990/01/01"

const dayAfter = (day: string, days: number): string =>
  dayFolder(marketDate(marketMidnight(day.replaceAll("/", "")) + days * day_ms))

/**
 * The days (`YYYY/MM/DD`) that are older than the last so many and today, oldest first. No clock is trusted alone: today is
 * not later than the day after the newest day before it that has a folder, so a clock that jumps ahead has deleted nothing
 * before it has recorded a day and begun the next one. The newest day of all never is among them.
 */
export const daysDue = (days: number, nowMs: number, folders: ReadonlyArray<string>): ReadonlyArray<string> => {
  const now = dayFolder(marketDate(nowMs))
  const ordered = folders.filter((day) => day >= plausibleFrom).toSorted()
  const newestBefore = ordered.findLast((day) => day < now)
  if (newestBefore === undefined) return []
  const next = dayAfter(newestBefore, 1)
  const keptFrom = dayAfter(now < next ? now : next, -days)
  return ordered.filter((day) => day < keptFrom && day !== ordered.at(-1))
}
