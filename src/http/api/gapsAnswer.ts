import { Effect } from "effect"
import type { Gaps } from "../../ops/Gaps.ts"
import { spokenGaps } from "../../ops/gapReport/spokenGaps.ts"
import type { GapQuery } from "./GapSchemas.ts"

/** Asks and puts the answer into words that JSON has. */
export const gapsAnswer = (gaps: Gaps["Service"], { day, symbol }: typeof GapQuery.Type) =>
  Effect.map(gaps.ask({ day: day?.replaceAll("-", ""), symbol }), spokenGaps)
