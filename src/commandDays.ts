import { Effect, Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { marketMidnight } from "./calendar/MarketTime.ts"
import { exitCode, ProgramEnd } from "./ProgramEnd.ts"

/** Reads a day as people write it, and gives it as the archive names it, `YYYYMMDD`; throws a sentence when there is no such day. */
export const readDay = (text: string): string => {
  const day = /^\d{4}(-?)\d{2}\1\d{2}$/.test(text) ? text.replaceAll("-", "") : ""
  if (Number.isNaN(marketMidnight(day))) throw new Error(`${text} is no day; allowed: a day such as 2026-11-24`)
  return day
}

/** A day of the archive, `YYYYMMDD`, as people write it. */
export const dashedDay = (day: string) => day.replace(/(....)(..)(..)/, "$1-$2-$3")

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** A day in market time, `YYYYMMDD`. */
export const dayFlag = (name: string, meaning: string) =>
  Flag.String(name).pipe(Flag.mapTryCatch(readDay, wordsOf), Flag.withDescription(meaning))

/** The same without a name. */
export const dayArgument = (name: string, meaning: string) =>
  Argument.String(name).pipe(Argument.mapTryCatch(readDay, wordsOf), Argument.withDescription(meaning))

/** Days in market time, `YYYYMMDD`, both included. */
interface DayRange {
  readonly fromDay: string | undefined
  readonly toDay: string | undefined
}

/**
 * The days of two flags, each of which may be left out; ends the program when the second is before the first.
 *
 * @param names the flags, for the words
 */
export const rangeOf = (
  from: Option.Option<string>,
  to: Option.Option<string>,
  names: readonly [string, string] = ["--from", "--to"]
): Effect.Effect<DayRange, ProgramEnd> => {
  const [fromDay, toDay] = [Option.getOrUndefined(from), Option.getOrUndefined(to)]
  if (fromDay === undefined || toDay === undefined || fromDay <= toDay) return Effect.succeed({ fromDay, toDay })
  const line = `${names[1]} ${dashedDay(toDay)} is before ${names[0]} ${dashedDay(fromDay)}; allowed: the same day or a later one`
  return Effect.fail(new ProgramEnd({ code: exitCode.settings, lines: [line] }))
}
