import { marketInstant } from "./MarketTime.ts"
import { timetableOf } from "./Phases.ts"
import type { SaidDays } from "./TradingDays.ts"

/** A part of Nextrade's day; instants are UTC milliseconds, `toMs` is outside. */
export interface NxtPart {
  readonly part: "preMarket" | "main" | "afterMarket"
  readonly fromMs: number
  readonly toMs: number
}

const minute_ms = 60_000
/** Nextrade's first day. */
const nxtSince = "20250304"

/**
 * When Nextrade trades on a market date (`YYYYMMDD`); kis/sessions.md §2. On late days it is taken to follow the
 * exchange by as much, and to end at eight all the same: neither is published [U].
 */
export const nxtHours = (date: string, said?: SaidDays): ReadonlyArray<NxtPart> => {
  const at = (phase: string) => {
    const from = timetableOf(date, said).find(([, name]) => name === phase)?.[0]
    return marketInstant(date, from ?? "")
  }
  const preOpen = at("preOpen"),
    open = at("continuous"),
    closing = at("closingAuction"),
    after = at("afterClose"),
    end = marketInstant(date, "200000")
  if (date < nxtSince || !preOpen || !open || !closing || !after || !end) return []
  return [
    { part: "preMarket", fromMs: preOpen, toMs: open - 10 * minute_ms },
    { part: "main", fromMs: open + minute_ms / 2, toMs: closing },
    { part: "afterMarket", fromMs: after + 10 * minute_ms, toMs: end }
  ]
}
