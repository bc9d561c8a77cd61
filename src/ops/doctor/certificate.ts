import { Effect } from "effect"
import { marketNow } from "../../calendar/MarketClock.ts"
import { recall, saidDays } from "../../feed/holidayKeeper/CalendarMemory.ts"
import { listDays } from "../../journal/Segments.ts"
import { dueAt } from "../certificate/dueAt.ts"
import { verdictWords } from "../certificate/verdictWords.ts"
import { readHead } from "../Certificates.ts"
import type { Check } from "../Doctor.ts"
import { fail, ok, warn } from "./Finding.ts"
import { placeOf } from "./Installation.ts"

/** The newest days in which a certificate is looked for. */
const certified_days_max = 40

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
