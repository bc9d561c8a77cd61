import { marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import type { MarketSession } from "../../calendar/MarketSession.ts"
import type { GapCause } from "../../domain/Gap.ts"

/** A time in which the stream of one symbol was not heard. Instants are UTC milliseconds of market time. */
export interface Hole {
  readonly symbol: string
  readonly fromMs: number
  readonly toMs: number
  readonly cause: GapCause
  /** The cumulative volume of the last trade that the stream brought before it. */
  readonly cumVolumeBefore?: number
  /** The cumulative volume that the first trade after it came on top of: that trade's own, less its volume. */
  readonly cumVolumeAfter?: number
  /** Of lost trades of a stream that was up: where they lie, when not all of the hole was lost. */
  readonly parts?: ReadonlyArray<{ readonly cumVolumeBefore: number; readonly cumVolumeAfter: number }>
}

const second_ms = 1_000

/** Exchange times are whole seconds, and what happens in one second is heard in the next: both ends may be a second wide. */
export const overlap_ms = second_ms

/** Which whole seconds of the exchange a hole touches; of one that began yesterday, those of the day on which it ended. */
export interface Span {
  readonly date: string
  readonly fromMs: number
  readonly toMs: number
}

const wholeSecond = (atMs: number) => Math.floor(atMs / second_ms) * second_ms

export const spanOf = ({ fromMs, toMs }: Hole): Span => {
  const date = marketDate(toMs)
  return { date, fromMs: wholeSecond(Math.max(fromMs, marketMidnight(date))), toMs: wholeSecond(toMs) }
}

/**
 * Why no call can bring the trades of a hole, or `undefined`. The broker lists trades of today only, and until the first
 * one of the day its lists may still show yesterday's.
 */
export const whyHopeless = (
  { fromMs, toMs }: Hole,
  nowMs: number,
  session: Pick<MarketSession["Service"], "phaseAt">
): string | undefined => {
  if (!(fromMs <= toMs)) return "it ends before it begins"
  if (marketDate(toMs) !== marketDate(nowMs)) return "the broker lists trades of today only"
  const phase = session.phaseAt(toMs)
  return phase === "preOpen" || phase === "openingAuction" ? "nothing had been traded that day" : undefined
}
