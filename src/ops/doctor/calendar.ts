import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import { calendarKnownTo } from "../../calendar/TradingDays.ts"
import { recall, saidDays } from "../../feed/holidayKeeper/CalendarMemory.ts"
import type { Check } from "../Doctor.ts"
import { ok, warn } from "./Finding.ts"
import { placeOf } from "./Installation.ts"

const day_ms = 86_400_000
const dashed = (day: string) => day.replace(/(....)(..)(..)/, "$1-$2-$3")

/** It is asked for once a day and reaches weeks ahead; the table in the program reaches to the end of a year. */
const known_days_min = 30

/** How far ahead it is known on which days the exchange trades. */
export const calendar: Check = {
  name: "calendar",
  look: Effect.fnUntraced(function* (on) {
    const name = "calendar"
    if (on.session === "always") return [ok(name, "not asked: any hour is observed (OBSERVER_SESSION is always)")]
    const memory = yield* recall(on.stateDir, placeOf(on))
    const today = marketDate(yield* marketNow)
    const knownTo = calendarKnownTo(today, saidDays(memory))
    const asked = memory.asked?.answered === true ? `; the broker was asked on ${dashed(memory.asked.on)}` : ""
    const advice = "let the observer ask the broker (a live account), or upgrade to a version with a newer table"
    if (knownTo === undefined) return [warn(name, `not even of today is it known whether it trades${asked}`, advice)]
    const words = `known until ${dashed(knownTo)}${asked}`
    const details = { knownTo }
    const left_ms = marketMidnight(knownTo) - marketMidnight(today)
    return [left_ms < known_days_min * day_ms ? warn(name, words, advice, { details }) : ok(name, words, { details })]
  })
}
