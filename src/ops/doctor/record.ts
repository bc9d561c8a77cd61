import { Effect, Layer, Option } from "effect"
import { join } from "node:path"
import { marketNow } from "../../calendar/MarketClock.ts"
import { MarketSession } from "../../calendar/MarketSession.ts"
import { dayFolder, marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import { calendarKnownTo } from "../../calendar/TradingDays.ts"
import { recall, saidDays } from "../../feed/holidayKeeper/CalendarMemory.ts"
import { Disk } from "../../journal/Disk.ts"
import { listDays } from "../../journal/Segments.ts"
import { spanWords } from "../amountWords.ts"
import { dueAt } from "../certificate/dueAt.ts"
import { verdictWords } from "../certificate/verdictWords.ts"
import { readHead } from "../Certificates.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { Gaps } from "../Gaps.ts"
import { fail, ok, skipped, warn } from "./Finding.ts"
import { placeOf } from "./Installation.ts"

const day_ms = 86_400_000
/** The newest days in which a certificate is looked for. */
const certified_days_max = 40
const dashed = (day: string) => day.replace(/(....)(..)(..)/, "$1-$2-$3")

/** The newest certificate, and whether it is of the newest day that is over. */
export const certificate: Check = {
  name: "certificate",
  look: Effect.fnUntraced(function* (on) {
    const name = "certificate"
    const said = saidDays(yield* recall(on.stateDir, placeOf(on)))
    const nowMs = yield* marketNow
    const days = (yield* listDays(on.dataDir)).toReversed().slice(0, certified_days_max)
    const over = days.find((folder) => {
      const dueMs = dueAt(folder.replaceAll("/", ""), { mode: on.session, said })
      return dueMs !== undefined && dueMs <= nowMs
    })
    for (const folder of days) {
      const head = yield* readHead(on.dataDir, folder)
      if (head === undefined) continue
      const { day, madeAt, verdict } = head
      const words = `${day} is ${verdictWords[verdict]}`
      const details = { day, verdict, madeAt }
      if (verdict === "damaged") {
        return [fail(name, words, "observer verify says which file; bring it back from the backup", { details })]
      }
      if (verdict === "incomplete") {
        return [warn(name, words, `observer gaps --day ${day} and the day's CERTIFICATE.html say why`, { details })]
      }
      if (over !== undefined && over.replaceAll("/", "-") > day) {
        const late = over.replaceAll("/", "-")
        return [warn(name, `${words}, but ${late} has none`, `observer certify ${late}`, { details })]
      }
      return [ok(name, words, { details })]
    }
    if (over === undefined) return [ok(name, "no day is over yet")]
    const day = over.replaceAll("/", "-")
    return [warn(name, `${day} is over and has none`, `observer certify ${day}`)]
  })
}

/** A day of two gigabytes takes longer, and whoever looks should not be slower than who records. */
const gaps_limit = "5 seconds"

/** What today's record lacks so far. */
export const gapsToday: Check = {
  name: "gaps today",
  look: Effect.fnUntraced(function* ({ dataDir, session }) {
    const name = "gaps today"
    const gaps = Gaps.layer(dataDir).pipe(Layer.provide(MarketSession.layer(session)))
    const asked = Effect.provide(
      Effect.flatMap(Gaps, ({ ask }) => ask({})),
      gaps
    )
    const answer = yield* Effect.timeoutOption(asked, gaps_limit)
    if (Option.isNone(answer)) {
      return [
        skipped(name, `the files of today are more than can be read in ${gaps_limit}`, "observer gaps reads them")
      ]
    }
    const { left_all_seconds, total } = answer.value.report
    const lost = total.lostTrades - total.foundTrades
    const left = total.holes - total.repaired
    const details = { holes: total.holes, left, left_all_seconds, lostTrades: Math.max(0, lost) }
    if (total.holes === 0 && left_all_seconds === 0) return [ok(name, "none is on record", { details })]
    if (left === 0 && left_all_seconds === 0)
      return [ok(name, `${plural(total.holes, "hole")}, all filled`, { details })]
    const whole = left_all_seconds === 0 ? "" : `, nothing at all for ${spanWords(left_all_seconds * 1_000)}`
    const words = `${plural(left, "hole")} left open${whole}${lost > 0 ? `, ${plural(lost, "trade")} lost` : ""}`
    return [warn(name, words, "observer gaps says when and why", { details })]
  })
}

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

/** Which symbols are to be observed is a dated file of the day's folder. */
export const universe: Check = {
  name: "universe",
  look: Effect.fnUntraced(function* ({ dataDir, holder }) {
    const name = "universe"
    const disk = yield* Disk
    const folder = dayFolder(marketDate(yield* marketNow))
    const files = (yield* disk.list(join(dataDir, folder))).filter((file) => /^universe-\w+\.json$/.test(file))
    if (files.length > 0)
      return [ok(name, `${plural(files.length, "file")} of today (${folder})`, { details: { files } })]
    if ((yield* holder) === undefined) return [ok(name, "none of today; the observer writes it when it starts")]
    return [
      warn(name, "an observer runs, and has not written what it observes today", "look in its log for the master files")
    ]
  })
}
