import { marketInstant } from "../../calendar/MarketTime.ts"
import { hasSinglePriceEvening, timetableOf } from "../../calendar/Phases.ts"

export type SegmentKind =
  | "night"
  | "preOpen"
  | "openingAuction"
  | "continuous"
  | "closingAuction"
  /** Ten minutes without a trade. */
  | "afterClose"
  | "closingPrice"
  | "afterMarket"
  | "singlePrice"

export interface Segment {
  readonly kind: SegmentKind
  /** UTC milliseconds. */
  readonly fromMs: number
}

const minute_ms = 60_000

/** A market date (`YYYYMMDD`) in the parts that the floor tells apart; empty on a day without trading. */
export const daySegments = (date: string): ReadonlyArray<Segment> =>
  timetableOf(date).flatMap(([hour, phase]): ReadonlyArray<Segment> => {
    const fromMs = marketInstant(date, hour) ?? Number.NaN
    switch (phase) {
      case "afterClose":
        return [
          { kind: "afterClose", fromMs },
          { kind: "closingPrice", fromMs: fromMs + 10 * minute_ms }
        ]
      case "afterMarket":
        return [{ kind: hasSinglePriceEvening(date) ? "singlePrice" : "afterMarket", fromMs }]
      case "closed":
      case "halt":
        return [{ kind: "night", fromMs }]
      default:
        return [{ kind: phase, fromMs }]
    }
  })
