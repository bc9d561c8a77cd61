import { Effect } from "effect"
import { join } from "node:path"
import { marketNow } from "../../calendar/MarketClock.ts"
import { dayFolder, marketDate } from "../../calendar/MarketTime.ts"
import { Disk } from "../../journal/Disk.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { ok, warn } from "./Finding.ts"

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
