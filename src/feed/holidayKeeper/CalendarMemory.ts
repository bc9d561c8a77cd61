import { Effect, Schema } from "effect"
import { join } from "node:path"
import type { SaidDays } from "../../calendar/TradingDays.ts"
import { Disk } from "../../journal/Disk.ts"
import { readWhole, replaceWhole } from "../../journal/wholeFile.ts"

/** What is remembered of the broker's calendar across restarts: when it was asked, what it said, and when it said that. */
export const CalendarMemory = Schema.Struct({
  asked: Schema.optionalKey(
    Schema.Struct({
      /** The market date, `YYYYMMDD`. */
      on: Schema.String,
      tries: Schema.Int,
      /** When the last try began, by the machine's clock, UTC milliseconds. */
      triedAtMs: Schema.Finite,
      answered: Schema.Boolean
    })
  ),
  /** By market date, `YYYYMMDD`; `saidAt` is since when it has said so, in market time, UTC, ISO 8601. */
  days: Schema.Record(Schema.String, Schema.Struct({ open: Schema.Boolean, saidAt: Schema.String }))
})
export type CalendarMemory = typeof CalendarMemory.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(CalendarMemory))
const nothing: CalendarMemory = { days: {} }

/** More than two years of days; the oldest are forgotten. */
const days_max = 800

/** One file for each place: what another server says of the calendar is not the broker's word. */
const nameOf = (place: string) => `calendar-${place.replace(/[^0-9A-Za-z.-]/g, "_")}.json`

/** What is remembered; nothing when there is no file, or it cannot be read as what it should be. */
export const recall = Effect.fnUntraced(function* (stateDir: string, place: string) {
  const file = join(stateDir, nameOf(place))
  return yield* readWhole(file).pipe(
    Effect.flatMap((text) => (text === undefined ? Effect.succeed(nothing) : decode(text))),
    Effect.catch((error) =>
      Effect.as(Effect.logWarning("what the broker said of the calendar cannot be read", { file, error }), nothing)
    )
  )
})

/** A failure is logged, not fatal: the calendar works without. */
export const remember = Effect.fnUntraced(
  function* (stateDir: string, place: string, memory: CalendarMemory) {
    const disk = yield* Disk
    yield* disk.makeFolder(stateDir)
    yield* replaceWhole(stateDir, nameOf(place), Buffer.from(`${JSON.stringify(memory)}\n`))
  },
  Effect.catch((error) =>
    Effect.logWarning("the broker's calendar could not be kept; a restart will ask again", { reason: error.message })
  )
)

/** The days as the calendar takes them. */
export const saidDays = ({ days }: CalendarMemory): SaidDays =>
  new Map(Object.entries(days).map(([date, { open }]) => [date, open]))

/** The memory with what was said now above what was said before. */
export const withSaid = ({ days, ...rest }: CalendarMemory, said: SaidDays, saidAtMs: number): CalendarMemory => {
  const saidAt = new Date(saidAtMs).toISOString()
  const fresh = [...said].map(([date, open]) => {
    const known = days[date]
    return [date, known?.open === open ? known : { open, saidAt }] as const
  })
  const all = Object.entries({ ...days, ...Object.fromEntries(fresh) }).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { ...rest, days: Object.fromEntries(all.slice(-days_max)) }
}
