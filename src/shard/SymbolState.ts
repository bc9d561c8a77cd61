import { marketDay } from "../calendar/MarketTime.ts"
import type { RejectReason } from "../domain/Reject.ts"
import type { Sighting } from "../domain/Sighting.ts"
import { begun, type Continuity, isHeard, next as nextContinuity, type Told } from "./Continuity.ts"
import { refusal } from "./Guard.ts"
import { RecentTrades } from "./RecentTrades.ts"

/** What a shard knows of one symbol. Times are UTC milliseconds. */
export interface SymbolState {
  /** The newest quote, refused or not, by its sameness. */
  readonly quote: Written | undefined
  /** The newest book, in the same way. */
  readonly book: Written | undefined
  /** The trades of the day so far: the highest cumulative volume, and the newest ones. */
  readonly trades: { readonly day: number; readonly cumVolume: number; readonly recent: RecentTrades } | undefined
  /** What is known of the trades that did not reach us. */
  readonly continuity: Continuity | undefined
}

interface Written {
  readonly sameness: string | undefined
  readonly writtenAtMs: number
}

export type Verdict =
  | { readonly _tag: "Store"; readonly flags: ReadonlyArray<string> }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "Reject"; readonly reason: RejectReason }

const duplicate: Verdict = { _tag: "Duplicate" }

interface Judged {
  readonly state: SymbolState
  readonly verdict: Verdict
  /** What a trade says of the ones before it. */
  readonly told?: Told | undefined
}

/**
 * Judges one sighting. A quote or a book that says what the last one said is a duplicate until the heartbeat is over; a trade is
 * one when it was among the newest of its day, and one of a list (`isListed`) also when all of its place in the day was
 * heard. Any other trade behind the cumulative volume already reached is late, not lost.
 */
export const next = (
  state: SymbolState | undefined,
  sighting: Sighting,
  heartbeat_ms: number,
  isListed = false
): Judged =>
  sighting.kind === "trade" ? nextTrade(state, sighting, isListed) : nextQuote(state, sighting, heartbeat_ms)

/**
 * What is known of a symbol after a sighting that is not kept, whatever it says: a trade of it did reach us, and is not lost.
 * Of one that cannot even be looked at it is not known whether it was one.
 */
export const setAside = (state: SymbolState | undefined, sighting: Sighting): SymbolState | undefined => {
  try {
    if (sighting.kind !== "trade") return state
    const continuity = nextContinuity(state?.continuity, sighting, dayOf(sighting), "refused")
    return { quote: state?.quote, book: state?.book, trades: state?.trades, continuity }
  } catch {
    return state && { ...state, continuity: begun(state.continuity) }
  }
}

/** No trade is of a day that is still to come: one that says so would make all of today late. */
const dayOf = ({ exchangeAtMs, receivedAtMs }: Sighting): number => {
  const today = marketDay(receivedAtMs)
  return exchangeAtMs === undefined ? today : Math.min(today, marketDay(exchangeAtMs))
}

const nextQuote = (state: SymbolState | undefined, sighting: Sighting, heartbeat_ms: number): Judged => {
  const { receivedAtMs, sameness } = sighting
  // A symbol that is swept and streamed has both, and neither says anything of the other.
  const isBook = sighting.kind === "book"
  const last = isBook ? state?.book : state?.quote
  const seen = (written: Written): SymbolState => ({
    quote: isBook ? state?.quote : written,
    book: isBook ? written : state?.book,
    trades: state?.trades,
    continuity: state?.continuity
  })
  const isSame = last !== undefined && sameness !== undefined && last.sameness === sameness
  if (isSame && receivedAtMs - last.writtenAtMs < heartbeat_ms) return { state: seen(last), verdict: duplicate }
  return { state: seen({ sameness, writtenAtMs: receivedAtMs }), verdict: judgeQuote(sighting) }
}

const nextTrade = (state: SymbolState | undefined, sighting: Sighting, isListed: boolean): Judged => {
  const { cumVolume = 0, exchangeAtMs, price, volume } = sighting
  const quote = state?.quote
  const book = state?.book
  const before = state?.trades
  const seen = (trades: SymbolState["trades"], continuity: Continuity | undefined): SymbolState => ({
    quote,
    book,
    trades,
    continuity
  })
  const day = dayOf(sighting)
  const known = before !== undefined && day <= before.day ? before : undefined
  // A day that is over may be repeated after midnight; its volume says nothing of the day that runs.
  const over = known !== undefined && day < known.day
  const behind = known !== undefined && (over || cumVolume <= known.cumVolume)
  // A trade that does not say when it was is of its day, and no more is known of its time.
  const trade = { atMs: exchangeAtMs ?? day, price, volume, cumVolume }
  if ((behind && known.recent.includes(trade)) || (isListed && isHeard(state?.continuity, sighting, day))) {
    return { state: seen(before, state?.continuity), verdict: duplicate }
  }
  const reason = refusal(sighting)
  const how = reason !== undefined ? "refused" : isListed ? "listed" : "streamed"
  const continuity = nextContinuity(state?.continuity, sighting, day, how)
  if (reason !== undefined) return { state: seen(before, continuity), verdict: { _tag: "Reject", reason } }
  const reached = Math.max(over ? 0 : cumVolume, known?.cumVolume ?? 0)
  const recent = (known?.recent ?? RecentTrades.none).add(trade)
  const { told } = continuity
  const verdict: Verdict = { _tag: "Store", flags: flagsOf(sighting, behind, told) }
  const after = seen({ day: known?.day ?? day, cumVolume: reached, recent }, continuity)
  return told === undefined ? { state: after, verdict } : { state: after, verdict, told }
}

/** Shares that no trade had are said of the first trade after them. */
const flagsOf = ({ flags }: Sighting, isLate: boolean, told: Told | undefined): ReadonlyArray<string> => {
  const volumeOnly = told?._tag === "jump" ? told.volumeOnly : 0
  if (!isLate && volumeOnly === 0) return flags
  return [...flags, ...(isLate ? ["late"] : []), ...(volumeOnly > 0 ? [`volumeOnly:${volumeOnly}`] : [])]
}

const judgeQuote = (sighting: Sighting): Verdict => {
  const reason = refusal(sighting)
  return reason === undefined ? { _tag: "Store", flags: sighting.flags } : { _tag: "Reject", reason }
}
