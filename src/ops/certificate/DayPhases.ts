import { marketInstant, marketMidnight } from "../../calendar/MarketTime.ts"
import { timetableOf } from "../../calendar/Phases.ts"
import type { SaidDays } from "../../calendar/TradingDays.ts"
import type { Phase } from "../../domain/Phase.ts"
import type { Span } from "../Spans.ts"

export interface PhaseSpan extends Span {
  readonly phase: Phase
}

const day_ms = 86_400_000

/** The phases of a market date (`YYYYMMDD`) in which there is something to observe; in a market that never closes, the whole day. */
export const dayPhases = (
  date: string,
  { mode, said }: { readonly mode: "calendar" | "always"; readonly said?: SaidDays | undefined }
): ReadonlyArray<PhaseSpan> => {
  const midnight = marketMidnight(date)
  const end = midnight + day_ms
  if (mode === "always") return [{ phase: "continuous", fromMs: midnight, toMs: end }]
  const table = timetableOf(date, said)
  return table.flatMap(([from, phase], index) => {
    const fromMs = marketInstant(date, from) ?? end
    const toMs = marketInstant(date, table[index + 1]?.[0] ?? "") ?? end
    return phase === "closed" ? [] : [{ phase, fromMs, toMs }]
  })
}
