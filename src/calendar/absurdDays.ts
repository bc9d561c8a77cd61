import { marketMidnight, marketWeekday } from "./MarketTime.ts"
import { calendarTable, isTradingDay, type SaidDays } from "./TradingDays.ts"

/** The longest closure since 2010 had six weekdays in a row (Chuseok 2017). */
const closedInARow_max = 7

/** Days announced during a year come one at a time; a reply that corrects more of the table than this in one go is not believed. */
const corrections_max = 3

/**
 * Why what the broker says of days (`true` for open) cannot be so, in words; `undefined` when it can. A reply believed
 * wrongly would stop the observer for days, so what contradicts everything is refused as a whole.
 */
export const whyAbsurd = (said: SaidDays, askedFrom: string): string | undefined => {
  if (!said.has(askedFrom)) return `it does not hold the day asked for, ${askedFrom}`
  let closed = 0
  let corrections = 0
  for (const [date, isOpen] of [...said].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const weekday = marketWeekday(marketMidnight(date))
    const isWeekend = weekday === 0 || weekday === 6
    if (isWeekend && isOpen) return `it opens the exchange on a weekend, ${date}`
    if (!isWeekend) closed = isOpen ? 0 : closed + 1
    if (closed > closedInARow_max) return `it closes the exchange for ${closed} weekdays in a row until ${date}`
    const isKnown = date >= calendarTable.from && date <= calendarTable.to
    if (isKnown && isTradingDay(date) !== isOpen) corrections += 1
  }
  return corrections > corrections_max ? `it contradicts the table on ${corrections} days` : undefined
}
