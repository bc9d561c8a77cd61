import { Effect, Layer, Option } from "effect"
import { MarketSession } from "../../calendar/MarketSession.ts"
import { spanWords } from "../amountWords.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { Gaps } from "../Gaps.ts"
import { ok, skipped, warn } from "./Finding.ts"

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
