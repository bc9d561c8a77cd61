import { marketDate } from "../calendar/MarketTime.ts"
import type { RejectReason } from "../domain/Reject.ts"
import type { Sighting } from "../domain/Sighting.ts"
import { refusal } from "./Guard.ts"

/** What a shard knows of one symbol. Times are UTC milliseconds. */
export interface SymbolState {
  readonly lastSeenAtMs: number
  /** The newest quote, refused or not, by its sameness. */
  readonly quote?: { readonly sameness: string; readonly writtenAtMs: number }
  /** The newest book, in the same way. */
  readonly book?: { readonly sameness: string; readonly writtenAtMs: number }
  /** The trades of the day so far: the highest cumulative volume, and the newest ones by their sameness. */
  readonly trades?: { readonly day: string; readonly cumVolume: number; readonly recent: ReadonlyArray<string> }
}

export type Verdict =
  | { readonly _tag: "Store"; readonly flags: ReadonlyArray<string> }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "Reject"; readonly reason: RejectReason }

/** Trades by which a repeated one is recognised: a frame holds 20, and repeats come within a few frames. */
const recentTrades_max = 64

/**
 * Judges one sighting. A quote or a book that says what the last one said is a duplicate until the heartbeat is over; a trade is
 * one when it was among the newest of its day. A trade behind the cumulative volume already reached is late, not lost.
 */
export const next = (
  state: SymbolState | undefined,
  sighting: Sighting,
  heartbeat_ms: number
): { readonly state: SymbolState; readonly verdict: Verdict } =>
  sighting.kind === "trade" ? nextTrade(state, sighting) : nextQuote(state, sighting, heartbeat_ms)

const nextQuote = (state: SymbolState | undefined, sighting: Sighting, heartbeat_ms: number) => {
  const { receivedAtMs, sameness } = sighting
  // A symbol that is swept and streamed has both, and neither says anything of the other.
  const slot = sighting.kind === "book" ? "book" : "quote"
  const last = state?.[slot]
  const seen: SymbolState = { ...state, lastSeenAtMs: receivedAtMs }
  if (last !== undefined && last.sameness === sameness && receivedAtMs - last.writtenAtMs < heartbeat_ms) {
    return { state: seen, verdict: { _tag: "Duplicate" } as const }
  }
  return { state: { ...seen, [slot]: { sameness, writtenAtMs: receivedAtMs } }, verdict: judge(sighting, []) }
}

const nextTrade = (state: SymbolState | undefined, sighting: Sighting) => {
  const { cumVolume = 0, exchangeAtMs, receivedAtMs, sameness } = sighting
  const seen: SymbolState = { ...state, lastSeenAtMs: receivedAtMs }
  const day = marketDate(exchangeAtMs ?? receivedAtMs)
  const known = state?.trades !== undefined && day <= state.trades.day ? state.trades : undefined
  // A day that is over may be repeated after midnight; its volume says nothing of the day that runs.
  const over = known !== undefined && day < known.day
  const same = over ? `${day}^${sameness}` : sameness
  const behind = known !== undefined && (over || cumVolume <= known.cumVolume)
  if (behind && known.recent.includes(same)) return { state: seen, verdict: { _tag: "Duplicate" } as const }
  const verdict = judge(sighting, behind ? ["late"] : [])
  if (verdict._tag === "Reject") return { state: seen, verdict }
  const recent = [...(known?.recent ?? []), same].slice(-recentTrades_max)
  const reached = Math.max(over ? 0 : cumVolume, known?.cumVolume ?? 0)
  return { state: { ...seen, trades: { day: known?.day ?? day, cumVolume: reached, recent } }, verdict }
}

const judge = (sighting: Sighting, flags: ReadonlyArray<string>): Verdict => {
  const reason = refusal(sighting)
  return reason === undefined ? { _tag: "Store", flags: [...sighting.flags, ...flags] } : { _tag: "Reject", reason }
}
