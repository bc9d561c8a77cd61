import { Effect, Option, Result } from "effect"
import { Flag } from "effect/cli"
import { dayFolder } from "./calendar/MarketTime.ts"
import { rangeOf, readDay } from "./commandDays.ts"
import type { BackupTarget } from "./ops/backup/BackupTarget.ts"
import { allDays, daysBetween, type DaySelection, theseDays } from "./ops/backup/DaySelection.ts"
import { allowedTargets, parseTarget } from "./ops/backup/targets.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"
import { table } from "./Settings.ts"

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** A place for copies in the place of `OBSERVER_BACKUP_TARGET`. */
export const backupTargetFlag = (name: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`Another target than ${table.backupTarget.name}: ${allowedTargets}`),
    Flag.mapTryCatch(
      (address) =>
        Result.getOrThrowWith(parseTarget(address), (words) => new Error(words === "" ? allowedTargets : words)),
      wordsOf
    ),
    Flag.optional
  )

const day_ms = 86_400_000

/** Every day from one to another, `YYYYMMDD`. */
const between = (from: string, to: string): ReadonlyArray<string> => {
  const at = (day: string) => Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)))
  if (to < from) throw new Error(`${to} is before ${from}; allowed: the same day or a later one`)
  const days = (at(to) - at(from)) / day_ms + 1
  if (days > 3_660) throw new Error("these are more than ten years; allowed: all")
  return Array.from({ length: days }, (_, index) =>
    new Date(at(from) + index * day_ms).toISOString().slice(0, 10).replaceAll("-", "")
  )
}

const readDays = (text: string): DaySelection => {
  if (text.toLowerCase() === "all") return allDays
  const days = text.split(",").flatMap((part) => {
    const [from = "", to = from, ...more] = part.split("..")
    if (more.length > 0) throw new Error(`${part} is no day and no two with .. between`)
    return between(readDay(from), readDay(to))
  })
  return theseDays(days.map(dayFolder))
}

/** Days in market time: one, several with commas, a range with `..`, or `all`. */
export const daysFlag = (meaning: string) =>
  Flag.String("days").pipe(Flag.withDescription(meaning), Flag.mapTryCatch(readDays, wordsOf))

/** Days of `--days`, or from `--from` to `--to`; all when none is given. */
export const selectionOf = Effect.fnUntraced(function* (given: {
  readonly days: Option.Option<DaySelection>
  readonly from: Option.Option<string>
  readonly to: Option.Option<string>
}) {
  const { fromDay, toDay } = yield* rangeOf(given.from, given.to)
  const slashed = (day: string | undefined) => day && dayFolder(day)
  if (Option.isNone(given.days)) return daysBetween(slashed(fromDay), slashed(toDay))
  if (fromDay === undefined && toDay === undefined) return given.days.value
  const lines = ["--days is given, and so is --from or --to; allowed: one of the two"]
  return yield* new ProgramEnd({ code: exitCode.settings, lines })
})

/** The target of a flag, or of the settings; without one the program ends with the settings' code. */
export const targetOf = (flag: Option.Option<BackupTarget>, name: string, set: BackupTarget | undefined) => {
  const target = Option.getOrUndefined(flag) ?? set
  if (target !== undefined) return Effect.succeed(target)
  const lines = [
    `${table.backupTarget.name} is not set: there is no target; set it to ${allowedTargets}, or give --${name}`
  ]
  return Effect.fail(new ProgramEnd({ code: exitCode.settings, lines }))
}
