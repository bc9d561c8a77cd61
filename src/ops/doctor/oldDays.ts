import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { listDays } from "../../journal/Segments.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { isBackedUp, receiptsOf } from "../retention/backedUp.ts"
import { daysDue } from "../retention/daysDue.ts"
import { inspectDay } from "../retention/inspectDay.ts"
import { type Finding, ok, warn } from "./Finding.ts"

const name = "old days"
const dashed = (day: string) => day.replaceAll("/", "-")

/** What the retention would do with the days that are older than they are kept; nothing is done. */
export const oldDays: Check = {
  name,
  look: Effect.fnUntraced(function* ({ backup, dataDir, retention: { days, unbacked }, stateDir }) {
    if (days === 0) return [ok(name, "all days are kept (OBSERVER_RETENTION_DAYS is 0)")]
    const due = daysDue(days, yield* marketNow, yield* listDays(dataDir))
    const receipts = yield* receiptsOf(stateDir, due)
    const [going, waiting]: [Array<string>, Array<string>] = [[], []]
    const left: Array<Finding> = []
    for (const day of due) {
      const old = yield* inspectDay(dataDir, day)
      if ("why" in old) {
        if (old.why === undefined) continue
        const advice = "observer verify says what is wrong with it"
        left.push(warn(name, `${dashed(day)} is not deleted: ${old.why}`, advice, { details: { day: dashed(day) } }))
      } else if (old.files.length > 0) {
        const isToGo = unbacked === "delete" || isBackedUp(receipts, backup?.target.name, old)
        ;(isToGo ? going : waiting).push(dashed(day))
      }
    }
    const [oldest] = waiting
    const goes = going.length === 0 ? "none is to be deleted" : `${plural(going.length, "day")} to be deleted`
    const words = `${plural(days, "day")} kept besides today; ${goes}`
    const details = { going, waiting }
    if (oldest === undefined) return [ok(name, words, { details }), ...left]
    const late = `${words}; ${plural(waiting.length, "older day")} not backed up and so kept, the oldest ${oldest}`
    const advice = "observer backup, or OBSERVER_RETENTION_UNBACKED=delete to go without a copy"
    return [warn(name, late, advice, { details }), ...left]
  })
}
