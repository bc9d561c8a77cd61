import type { Sighting, TradeTally } from "../domain/Sighting.ts"
import type { Venue } from "../domain/Venue.ts"

import {
  type Ahead,
  isInside,
  type Loss,
  type Passed,
  riseBetween,
  type Span,
  touches,
  without,
  withLoss
} from "./Loss.ts"

/** Separate runs of listed trades that may lie beyond the newest one of the stream. */
const ahead_max = 64

/**
 * How a trade reached us: in a stream, with the broker's counters; from a list, which has none; or as one that is not
 * kept as data: it did reach us, and is not lost.
 */
export type Reached = "streamed" | "listed" | "refused"

/** What a trade says of the trades before it. */
export type Told =
  /**
   * Between the trade before and this one something was lost, or the day's volume rose by shares (`volumeOnly`) that no
   * trade had: those may have been traded off the book, and are nobody's loss as far as is known.
   */
  | { readonly _tag: "jump"; readonly loss: Loss | undefined; readonly volumeOnly: number }
  /** The trade itself had been lost: so much less of it is. */
  | { readonly _tag: "found"; readonly loss: Loss; readonly trades: number; readonly volume: number }

const none: ReadonlyArray<never> = []

class PassedTrade implements Passed {
  readonly cumVolume: number | undefined
  readonly exchangeAtMs: number | undefined
  readonly receivedAtMs: number
  readonly tally: TradeTally | undefined

  constructor({ cumVolume, exchangeAtMs, receivedAtMs, tally }: Passed) {
    this.cumVolume = cumVolume
    this.exchangeAtMs = exchangeAtMs
    this.receivedAtMs = receivedAtMs
    this.tally = tally
  }
}

/** What is known of one symbol's trades at one venue on one market day, in the order in which the exchange counted them. */
export class Continuity {
  /** Days since 1970 in market time. */
  readonly day: number
  readonly venue: Venue
  /** The trade of the stream that is farthest; absent where the next one says nothing of what was before. */
  readonly last: Passed | undefined
  /** From here up to `last` it is known what was heard: all but the losses. */
  readonly since: number
  readonly ahead: ReadonlyArray<Ahead>
  readonly losses: ReadonlyArray<Loss>
  /** What the trade just seen has told. */
  readonly told: Told | undefined
  /** The other venues, each with counters of its own. */
  readonly others: Continuity | undefined

  constructor(
    { day, others, venue }: Pick<Continuity, "day" | "others" | "venue">,
    { ahead, last, losses, since }: Known,
    told?: Told
  ) {
    this.day = day
    this.venue = venue
    this.last = last
    this.since = since
    this.ahead = ahead
    this.losses = losses
    this.told = told
    this.others = others
  }
}

type Known = Pick<Continuity, "ahead" | "last" | "losses" | "since">

/**
 * What is known once a trade of a market day was seen, repeats left out. The day's volume must rise by exactly the trade's
 * own: where it does, nothing was lost. Where it rose by more, the broker's counters of buys and sells say how many trades
 * are missing, and their sums how many shares; the rest was traded in an auction or off the book. Of a trade that
 * contradicts itself, is of a day that is over, or is the first of a day, of a venue or of a stream, nothing is concluded.
 */
export const next = (state: Continuity | undefined, trade: Sighting, day: number, how: Reached): Continuity => {
  if (state === undefined) return first(trade, day, how, undefined)
  if (state.venue !== trade.venue) return aside(state, next(state.others, trade, day, how))
  if (day !== state.day) return day < state.day ? quiet(state) : first(trade, day, how, state.others)
  const { last, losses } = state
  const { cumVolume, volume } = trade
  if (last === undefined) return found(state, trade, how) ?? changed(state, baseline(trade, how))
  if (!isKnown(cumVolume) || !isKnown(volume)) return isBefore(trade, last) ? quiet(state) : changed(state, unknown)
  const reached = last.cumVolume ?? 0
  if (cumVolume <= reached) return found(state, trade, how) ?? quiet(state)
  const from = cumVolume - volume
  if (how !== "streamed") return further(state, { from, to: cumVolume, trades: 1, isData: how === "listed" })
  const ahead = state.ahead.length === 0 ? none : state.ahead.filter(({ to }) => to > cumVolume)
  // Nearly every trade ends here, before its counters are read.
  if (from === reached) return new Continuity(state, { last: trade, since: state.since, ahead, losses })
  if (trade.tally === undefined) return further(state, { from, to: cumVolume, trades: 1, isData: true })
  const rise = riseBetween(last, trade, state.ahead)
  if (rise === undefined) return new Continuity(state, { last: trade, since: Math.max(from, reached), ahead, losses })
  const { loss, volumeOnly } = rise
  const { forgottenTo, losses: open } = withLoss(losses, loss)
  const since = Math.max(state.since, forgottenTo)
  const isLost = loss.lostVolume > 0
  const told: Told | undefined =
    isLost || volumeOnly > 0 ? { _tag: "jump", loss: isLost ? loss : undefined, volumeOnly } : undefined
  return new Continuity(state, { last: trade, since, ahead, losses: open }, told)
}

/** Whether all of a trade's place in the day's volume was heard, so that a list which has it tells it once more. */
export const isHeard = (state: Continuity | undefined, trade: Sighting, day: number): boolean => {
  if (state === undefined) return false
  if (state.venue !== trade.venue) return isHeard(state.others, trade, day)
  const { ahead, last, losses, since } = state
  const { cumVolume, volume } = trade
  if (last === undefined || day !== state.day || !isKnown(cumVolume) || !isKnown(volume) || volume <= 0) return false
  const span: Span = { from: cumVolume - volume, to: cumVolume }
  if (cumVolume > (last.cumVolume ?? 0)) return ahead.some((each) => each.isData && isInside(span, each))
  return span.from >= since && !losses.some(({ between }) => between.some((each) => touches(each, span)))
}

/** Nobody listened for a while, on purpose: what was traded meanwhile is not lost. What was lost before still is. */
export const begun = (state: Continuity | undefined): Continuity | undefined =>
  state && new Continuity({ ...state, others: begun(state.others) }, { ...unknown, losses: state.losses })

/**
 * The same, to be kept: with the counters of the newest trade and without the trade. Texts that live on until the next trade
 * of their symbol would cost the garbage collector more than reading four numbers does (`bench/decode.mjs`).
 */
export const kept = (state: Continuity): Continuity => {
  const { last, others } = state
  const isKept = last === undefined || last instanceof PassedTrade
  if (isKept && others === undefined) return state
  return new Continuity(
    { ...state, others: others && kept(others) },
    { ...state, last: isKept ? last : new PassedTrade(last) }
  )
}

const isKnown = (value: number | undefined): value is number => Number.isSafeInteger(value)

/** Nothing is known of what comes next. */
const unknown = { last: undefined, since: 0, ahead: none }

const isBefore = ({ exchangeAtMs = Number.NaN }: Sighting, last: Passed): boolean =>
  exchangeAtMs < (last.exchangeAtMs ?? Number.NaN)

const baseline = (trade: Sighting, how: Reached): Omit<Known, "losses"> => {
  const { cumVolume, volume } = trade
  return how === "streamed" && isKnown(cumVolume) && isKnown(volume) && trade.tally !== undefined
    ? { last: trade, since: cumVolume - volume, ahead: none }
    : unknown
}

const first = (trade: Sighting, day: number, how: Reached, others: Continuity | undefined) =>
  new Continuity({ day, venue: trade.venue, others }, { ...baseline(trade, how), losses: none })

const changed = (state: Continuity, known: Partial<Known>, told?: Told) =>
  new Continuity(state, { ...state, ...known }, told)

const quiet = (state: Continuity) => (state.told === undefined ? state : changed(state, {}))

const aside = (state: Continuity, others: Continuity) => new Continuity({ ...state, others }, state, others.told)

/** A trade beyond the stream's newest that moves no counter we could read: the next one of the stream came on top of it too. */
const further = (state: Continuity, fresh: Ahead): Continuity => {
  const { from, isData, to, trades } = fresh
  if (state.ahead.some((each) => isInside(fresh, each))) return quiet(state)
  const before = state.ahead.find((each) => each.to === from && each.isData === isData)
  const after = state.ahead.find((each) => each.from === to && each.isData === isData)
  const joined: Ahead = {
    from: before?.from ?? from,
    to: after?.to ?? to,
    trades: trades + (before?.trades ?? 0) + (after?.trades ?? 0),
    isData
  }
  const ahead = [...state.ahead.filter((each) => each !== before && each !== after), joined]
  return changed(state, ahead.length > ahead_max ? unknown : { ahead })
}

/** A trade behind the newest one that lies where something was lost: so much was not, and has come late. What is refused stays to be found. */
const found = (state: Continuity, trade: Sighting, how: Reached): Continuity | undefined => {
  const { cumVolume = 0, volume = 0 } = trade
  if (state.losses.length === 0 || how === "refused" || !(volume > 0)) return undefined
  const span: Span = { from: cumVolume - volume, to: cumVolume }
  const index = state.losses.findIndex(({ between }) => between.some((each) => isInside(span, each)))
  const lost = state.losses[index]
  if (lost === undefined) return undefined
  const trades = trade.tally?.isSided === false ? 0 : Math.min(1, lost.leftTrades)
  const shares = Math.min(volume, lost.leftVolume)
  const loss: Loss = {
    ...lost,
    leftTrades: lost.leftTrades - trades,
    leftVolume: lost.leftVolume - shares,
    between: without(lost.between, span)
  }
  const losses = loss.between.length === 0 ? state.losses.toSpliced(index, 1) : state.losses.with(index, loss)
  const told: Told | undefined = trades + shares > 0 ? { _tag: "found", loss, trades, volume: shares } : undefined
  return changed(state, { losses }, told)
}
