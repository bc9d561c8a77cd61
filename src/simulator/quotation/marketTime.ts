import { Effect } from "effect"
import { marketDate, marketHour, marketMidnight, marketWeekday } from "../../calendar/MarketTime.ts"
import { dayKind } from "../../calendar/TradingDays.ts"
import { type Endpoint, quotations } from "./Endpoint.ts"

const day_ms = 86_400_000
/** Longer than any run of days on which the exchange is closed. */
const restMax_days = 20

/** The nearest trading day before (-1) or after (1) a date. */
const neighbour = (date: string, step: 1 | -1): string => {
  const midnight = marketMidnight(date)
  for (let days = 1; days <= restMax_days; days++) {
    const atMs = midnight + step * days * day_ms
    if (dayKind(marketDate(atMs), marketWeekday(atMs)) !== "closed") return marketDate(atMs)
  }
  return date
}

/** `market-time`: a clock check; `s_time` and `e_time` are those of the derivatives market, an hour later on exam days [U]. */
export const marketTime: Endpoint = {
  path: `${quotations}market-time`,
  trId: "HHMCM000002C0",
  inMock: false,
  ledger: false,
  answer: ({ market }) => {
    const nowMs = market.nowMs()
    const today = marketDate(nowMs)
    const kind = dayKind(today, marketWeekday(nowMs))
    // On a day without trading the business day in the middle is taken to be the one before [U].
    const date3 = kind === "closed" ? neighbour(today, -1) : today
    const date2 = neighbour(date3, -1)
    const date4 = neighbour(date3, 1)
    return Effect.succeed({
      blocks: {
        output1: {
          date1: neighbour(date2, -1),
          date2,
          date3,
          date4,
          date5: neighbour(date4, 1),
          today,
          time: marketHour(nowMs),
          s_time: kind === "exam" || kind === "newYear" ? "094500" : "084500",
          e_time: kind === "exam" ? "164500" : "154500"
        }
      }
    })
  }
}
