import type { Sighting, TradeTally } from "../domain/Sighting.ts"
import type { Venue } from "../domain/Venue.ts"

/** Losses of a symbol's day that are remembered so that trades which come after all are known for what they are. */
const losses_max = 128
/** Separate runs of listed trades that may lie beyond the newest one of the stream. */
const ahead_max = 64

/** A part of the day's volume, in shares: above `from`, up to `to`. */
interface Span {
  readonly from: number
  readonly to: number
}

/** Trades told by a list, or without counters, beyond the newest one of the stream. */
interface Ahead extends Span {
  readonly trades: number
}

/** What did not reach us between two trades of a stream. Times are UTC milliseconds of the exchange's own clock. */
export interface Loss {
  readonly fromMs: number
  readonly toMs: number
  /** The cumulative volumes between which it lies: that of the trade before, and that on top of which the next one came. */
  readonly cumVolumeBefore: number
  readonly cumVolumeAfter: number
  /** By the counters of buys and sells; absent where these stood still, as over the print of an auction. */
  readonly lostTrades: number | undefined
  readonly lostVolume: number
  /** What is still missing of both. */
  readonly leftTrades: number
  readonly leftVolume: number
  /** Where it may still be. */
  readonly between: ReadonlyArray<Span>
}

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

/** Of a trade what the next one is held against; a sighting is one, until its judgement is over. */
export type Passed = Pick<Sighting, "cumVolume" | "exchangeAtMs" | "receivedAtMs" | "tally">

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
  readonly ahead: ReadonlyArray<Ahead>
  readonly losses: ReadonlyArray<Loss>
  /** What the trade just seen has told. */
  readonly told: Told | undefined
  /** The other venues, each with counters of its own. */
  readonly others: Continuity | undefined

  constructor(
    day: number,
    venue: Venue,
    last: Passed | undefined,
    ahead: ReadonlyArray<Ahead>,
    losses: ReadonlyArray<Loss>,
    told: Told | undefined,
    others: Continuity | undefined
  ) {
    this.day = day
    this.venue = venue
    this.last = last
    this.ahead = ahead
    this.losses = losses
    this.told = told
    this.others = others
  }
}

/**
 * What is known once a trade of a market day was seen, repeats left out. The day's volume must rise by exactly the trade's
 * own: where it does, nothing was lost. Where it rose by more, the broker's counters of buys and sells say how many trades
 * are missing, and their sums how many shares; the rest was traded in an auction or off the book. Of a trade that
 * contradicts itself, is of a day that is over, or is the first of a day, of a venue or of a stream, nothing is concluded.
 * `isData`: whether it is kept as one; what is refused did reach us, and is not lost.
 */
export const next = (state: Continuity | undefined, trade: Sighting, day: number, isData: boolean): Continuity => {
  if (state === undefined) return first(trade, day, isData, undefined)
  if (state.venue !== trade.venue) return aside(state, next(state.others, trade, day, isData))
  if (day !== state.day) return day < state.day ? quiet(state) : first(trade, day, isData, state.others)
  const { last, losses } = state
  const { cumVolume, volume } = trade
  if (last === undefined) {
    const found = losses.length === 0 ? undefined : find(state, trade)
    return found ?? moved(state, baseline(trade, isData), none, losses, undefined)
  }
  if (!isKnown(cumVolume) || !isKnown(volume)) return moved(state, undefined, none, losses, undefined)
  const reached = last.cumVolume ?? 0
  if (cumVolume <= reached) return (losses.length === 0 ? undefined : find(state, trade)) ?? quiet(state)
  const from = cumVolume - volume
  if (!isData || trade.tally === undefined) return further(state, { from, to: cumVolume, trades: 1 })
  const ahead = state.ahead.length === 0 ? none : state.ahead.filter(({ to }) => to > cumVolume)
  if (from === reached) return moved(state, trade, ahead, losses, undefined)
  const told = jump(last, trade, state.ahead)
  const { loss } = told ?? {}
  return moved(state, trade, ahead, loss === undefined ? losses : [...losses, loss].slice(-losses_max), told)
}

/** Nobody listened for a while, on purpose: what was traded meanwhile is not lost. What was lost before still is. */
export const begun = (state: Continuity | undefined): Continuity | undefined =>
  state && new Continuity(state.day, state.venue, undefined, none, state.losses, undefined, begun(state.others))

/**
 * The same, to be kept: with the counters of the newest trade and without the trade. Texts that live on until the next trade
 * of their symbol would cost the garbage collector more than reading four numbers does (`bench/decode.mjs`).
 */
export const kept = (state: Continuity): Continuity => {
  const { ahead, day, last, losses, others, venue } = state
  const isKept = last === undefined || last instanceof PassedTrade
  if (isKept && others === undefined) return state
  return new Continuity(
    day,
    venue,
    isKept ? last : new PassedTrade(last),
    ahead,
    losses,
    undefined,
    others && kept(others)
  )
}

const isKnown = (value: number | undefined): value is number => Number.isSafeInteger(value)

const baseline = (trade: Sighting, isData: boolean): Sighting | undefined =>
  isData && isKnown(trade.cumVolume) && isKnown(trade.volume) && trade.tally !== undefined ? trade : undefined

const first = (trade: Sighting, day: number, isData: boolean, others: Continuity | undefined) =>
  new Continuity(day, trade.venue, baseline(trade, isData), none, none, undefined, others)

const moved = (
  { day, others, venue }: Continuity,
  last: Passed | undefined,
  ahead: ReadonlyArray<Ahead>,
  losses: ReadonlyArray<Loss>,
  told: Told | undefined
) => new Continuity(day, venue, last, ahead, losses, told, others)

const quiet = (state: Continuity) =>
  state.told === undefined ? state : moved(state, state.last, state.ahead, state.losses, undefined)

const aside = ({ ahead, day, last, losses, venue }: Continuity, others: Continuity) =>
  new Continuity(day, venue, last, ahead, losses, others.told, others)

/** A trade beyond the stream's newest that moves no counter we could read: the next one of the stream came on top of it too. */
const further = (state: Continuity, { from, to, trades }: Ahead): Continuity => {
  if (state.ahead.some((each) => each.from <= from && to <= each.to)) return quiet(state)
  const before = state.ahead.find((each) => each.to === from)
  const after = state.ahead.find((each) => each.from === to)
  const joined = {
    from: before?.from ?? from,
    to: after?.to ?? to,
    trades: trades + (before?.trades ?? 0) + (after?.trades ?? 0)
  }
  const ahead = [...state.ahead.filter((each) => each !== before && each !== after), joined]
  return ahead.length > ahead_max
    ? moved(state, undefined, none, state.losses, undefined)
    : moved(state, state.last, ahead, state.losses, undefined)
}

/** What lies between two trades of which the second did not come right on top of the first. */
const jump = (last: Passed, trade: Sighting, ahead: ReadonlyArray<Ahead>): Told | undefined => {
  const { tally: before } = last
  const { tally: after } = trade
  if (before === undefined || after?.isSided === undefined) return undefined
  const volume = trade.volume ?? 0
  const span: Span = { from: last.cumVolume ?? 0, to: (trade.cumVolume ?? 0) - volume }
  const trades = after.trades - before.trades - (after.isSided ? 1 : 0)
  const sided = after.sidedVolume - before.sidedVolume - (after.isSided ? volume : 0)
  const unsided = span.to - span.from - sided
  const isSound = trades >= 0 && unsided >= 0 && (trades === 0 ? sided === 0 : sided >= trades)
  if (!isSound) return undefined
  // Every auction sets the price from which the next interruption is reckoned: where that has changed, its print was lost.
  const isAuction =
    before.reference !== undefined && after.reference !== undefined && before.reference !== after.reference
  const known = ahead.filter(({ from, to }) => from >= span.from && to <= span.to)
  const knownTrades = known.reduce((sum, each) => sum + each.trades, 0)
  const knownVolume = known.reduce((sum, { from, to }) => sum + to - from, 0)
  const lostTrades = Math.max(0, trades - knownTrades)
  const lostVolume = sided + (isAuction ? unsided : 0) - knownVolume
  const loss: Loss = {
    fromMs: last.exchangeAtMs ?? last.receivedAtMs,
    toMs: trade.exchangeAtMs ?? trade.receivedAtMs,
    cumVolumeBefore: span.from,
    cumVolumeAfter: span.to,
    lostTrades: lostTrades === 0 ? undefined : lostTrades,
    lostVolume,
    leftTrades: lostTrades,
    leftVolume: lostVolume,
    between: known.reduce(without, [span])
  }
  const volumeOnly = isAuction ? 0 : Math.max(0, unsided - Math.max(0, knownVolume - sided))
  return lostVolume > 0
    ? { _tag: "jump", loss, volumeOnly }
    : volumeOnly > 0
      ? { _tag: "jump", loss: undefined, volumeOnly }
      : undefined
}

const without = (spans: ReadonlyArray<Span>, { from, to }: Span): ReadonlyArray<Span> =>
  spans.flatMap((span) =>
    span.from <= from && to <= span.to
      ? [
          { from: span.from, to: from },
          { from: to, to: span.to }
        ].filter((rest) => rest.to > rest.from)
      : [span]
  )

/** A trade behind the newest one that lies where something was lost: so much was not, and has come late. */
const find = (state: Continuity, { cumVolume = 0, tally, volume = 0 }: Sighting): Continuity | undefined => {
  const span: Span = { from: cumVolume - volume, to: cumVolume }
  if (!(volume > 0)) return undefined
  const index = state.losses.findIndex(({ between }) =>
    between.some(({ from, to }) => from <= span.from && span.to <= to)
  )
  const lost = state.losses[index]
  if (lost === undefined) return undefined
  const trades = tally?.isSided === false ? 0 : Math.min(1, lost.leftTrades)
  const found = Math.min(volume, lost.leftVolume)
  const loss: Loss = {
    ...lost,
    leftTrades: lost.leftTrades - trades,
    leftVolume: lost.leftVolume - found,
    between: without(lost.between, span)
  }
  const isOver = loss.leftVolume === 0 || loss.between.length === 0
  const losses = isOver ? state.losses.toSpliced(index, 1) : state.losses.with(index, loss)
  return moved(state, state.last, state.ahead, losses, { _tag: "found", loss, trades, volume: found })
}
