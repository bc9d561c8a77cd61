import { Option, Schema } from "effect"
import { Flag } from "effect/cli"

/** A day in market time, as people write it. */
export const Day = Schema.String.check(
  Schema.isPattern(/^\d{4}-?\d{2}-?\d{2}$/, { expected: "a day such as 2026-11-24" })
)

export const dayFlag = (name: string, meaning: string) =>
  Flag.String(name).pipe(Flag.withSchema(Day), Flag.withDescription(meaning), Flag.optional)

/** A given day as the archive names it, `YYYYMMDD`. */
export const compactDay = (given: Option.Option<string>) => Option.getOrUndefined(given)?.replaceAll("-", "")
