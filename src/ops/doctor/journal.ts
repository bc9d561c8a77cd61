import { Clock, Effect } from "effect"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { marketNow } from "../../calendar/MarketClock.ts"
import { openSpans } from "../../calendar/Phases.ts"
import { recall, saidDays } from "../../feed/holidayKeeper/CalendarMemory.ts"
import { Disk } from "../../journal/Disk.ts"
import { newestRecord, type NewestRecord } from "../../journal/newestRecord.ts"
import { byteWords, spanWords } from "../amountWords.ts"
import { plural } from "../countWords.ts"
import type { Check } from "../Doctor.ts"
import { fail, ok, warn } from "./Finding.ts"
import { type Installation, placeOf } from "./Installation.ts"

/** A marker a minute is written while the market is open; the newest may be on its way. */
const silence_ms_max = 180_000
/** What was put aside longer ago has been seen. */
const recent_ms = 7 * 86_400_000

/** Milliseconds of a time in which something was to be written. */
const openBetween = Effect.fnUntraced(function* (on: Installation, fromMs: number, toMs: number) {
  if (on.session === "always") return toMs - fromMs
  const said = saidDays(yield* recall(on.stateDir, placeOf(on)))
  return openSpans(fromMs, toMs, said).reduce((sum, span) => sum + span.toMs - span.fromMs, 0)
})

const judgeNewest = Effect.fnUntraced(function* (on: Installation, newest: NewestRecord | undefined) {
  const holder = yield* on.holder
  const nowMs = yield* marketNow
  const name = "journal"
  if (newest === undefined) {
    return holder === undefined
      ? ok(name, "there are no records of this node yet")
      : warn(name, "an observer runs and has written nothing", "look at its log and at observer status")
  }
  const { file, open, receivedAt, seq } = newest
  const age_ms = nowMs - Date.parse(receivedAt)
  const details = { seq, receivedAt, file, open }
  if (age_ms < -2_000) {
    const words = `the newest record is ${spanWords(-age_ms)} ahead of now (${receivedAt})`
    return warn(name, words, "set the clock right, or give the OBSERVER_CLOCK that was rehearsed with", { details })
  }
  const words = `the newest record is #${seq.toLocaleString("en-US")}, ${spanWords(age_ms)} old`
  if (holder === undefined) {
    return open
      ? warn(name, `${words}; the last run was killed`, "the next start seals its file and says what it cost", {
          details
        })
      : ok(name, `${words}; no observer runs`, { details })
  }
  const { reason, writable = true } = (yield* on.health)?.journal ?? {}
  if (!writable) {
    const advice = "the observer says that it cannot write: see to the folder; observer status shows all of it"
    return fail(name, `${words}; ${reason ?? "nothing can be written"}`, advice, { details })
  }
  if ((yield* openBetween(on, Date.parse(receivedAt), nowMs)) <= silence_ms_max) return ok(name, words, { details })
  const advice = "an observer that runs writes every minute of an open market: look at its log and at observer status"
  return fail(name, words, advice, { details })
})

const quarantine = Effect.fnUntraced(function* (dataDir: string) {
  const disk = yield* Disk
  const folder = join(dataDir, "quarantine")
  const names = yield* disk.list(folder)
  const files = yield* Effect.promise(() =>
    Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)))
  )
  const kept = files.filter((file) => file !== undefined && file.isFile()).filter((file) => file !== undefined)
  return {
    files: kept.length,
    bytes: kept.reduce((sum, { size }) => sum + size, 0),
    newestMs: Math.max(0, ...kept.map(({ mtimeMs }) => mtimeMs))
  }
})

/** The newest record's age, and what was put aside because it was not whole. */
export const journal: Check = {
  name: "journal",
  look: Effect.fnUntraced(function* (on) {
    const { dataDir, node } = on
    const first = yield* judgeNewest(on, yield* newestRecord(dataDir, node))
    const { bytes, files, newestMs } = yield* quarantine(dataDir)
    const name = "quarantine"
    if (files === 0) return [first, ok(name, "nothing was put aside")]
    const age_ms = (yield* Clock.currentTimeMillis) - newestMs
    const words = `${plural(files, "file")} of ${byteWords(bytes)}, the newest ${spanWords(age_ms)} old`
    const details = { files, bytes }
    if (age_ms > recent_ms) return [first, ok(name, words, { details })]
    const advice = "a kill or a power cut left half a line, which was never answered for; look at it and delete it"
    return [first, warn(name, words, advice, { details })]
  })
}
