import { losses_max } from "../domain/LostTrades.ts"
import type { Sighting } from "../domain/Sighting.ts"

/** Of a trade what the next one is held against; a sighting is one, until its judgement is over. */
export type Passed = Pick<Sighting, "cumVolume" | "exchangeAtMs" | "receivedAtMs" | "tally">

/** Places that the oldest losses of a day, taken together, may have; those before are let go of. */
const places_max = 1_024

/** A part of the day's volume, in shares: above `from`, up to `to`. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Trades beyond the newest one of the stream that were told by a list, have no counters, or were refused. */
export interface Ahead extends Span {
  readonly trades: number
  /** Whether they are in the record as trades; a list may still bring what was refused. */
  readonly isData: boolean
}

/**
 * A stretch of the day's volume of which not all was heard. Mostly trades were lost in it; where none are missing any
 * longer, or none ever were by the counters, it is only not known whether anybody traded there (`leftVolume` is 0). Times
 * are UTC milliseconds of the exchange's own clock.
 */
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
  /** Whether it is several losses, told one by one, of which only the sums are still known. */
  readonly isMerged: boolean
}

/** By how much the day's volume rose between two trades beyond the second one's own. */
export interface Rise {
  readonly loss: Loss
  /** Shares that no trade had, as far as is known: traded off the book, or the print of an auction that set no new price. */
  readonly volumeOnly: number
}

export const isInside = (inner: Span, outer: Span): boolean => outer.from <= inner.from && inner.to <= outer.to

export const touches = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to

/** What is left of some places without one that lies inside one of them. */
export const without = (spans: ReadonlyArray<Span>, taken: Span): ReadonlyArray<Span> =>
  spans.flatMap((span) =>
    isInside(taken, span)
      ? [
          { from: span.from, to: taken.from },
          { from: taken.to, to: span.to }
        ].filter((rest) => rest.to > rest.from)
      : [span]
  )

/** What lies between two trades of which the second did not come right on top of the first; `undefined` where the counters contradict the volume. */
export const riseBetween = (last: Passed, trade: Sighting, ahead: ReadonlyArray<Ahead>): Rise | undefined => {
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
  // Every auction sets the price from which the next interruption is reckoned. Where that has changed its print was lost,
  // unless the trade at hand is the print: it changes that price itself.
  const isPrint = !after.isSided || trade.flags.includes("auction")
  const isAuction =
    !isPrint && before.reference !== undefined && after.reference !== undefined && before.reference !== after.reference
  const known = ahead.filter((each) => isInside(each, span))
  const knownTrades = known.reduce((sum, each) => sum + each.trades, 0)
  const knownVolume = known.reduce((sum, { from, to }) => sum + to - from, 0)
  const lostTrades = Math.max(0, trades - knownTrades)
  const lostVolume = Math.max(0, sided + (isAuction ? unsided : 0) - knownVolume)
  const loss: Loss = {
    fromMs: last.exchangeAtMs ?? last.receivedAtMs,
    toMs: trade.exchangeAtMs ?? trade.receivedAtMs,
    cumVolumeBefore: span.from,
    cumVolumeAfter: span.to,
    lostTrades: lostTrades === 0 ? undefined : lostTrades,
    lostVolume,
    leftTrades: lostTrades,
    leftVolume: lostVolume,
    between: known.filter(({ isData }) => isData).reduce<ReadonlyArray<Span>>(without, [span]),
    isMerged: false
  }
  return { loss, volumeOnly: isAuction ? 0 : Math.max(0, unsided - Math.max(0, knownVolume - sided)) }
}

/** The losses of a day that are remembered, and up to which volume stretches were let go of. */
export interface Remembered {
  readonly losses: ReadonlyArray<Loss>
  readonly forgottenTo: number
}

/**
 * Adds a loss. Of too many, a stretch in which nothing is known to be missing is let go of; where there is none, the two
 * oldest losses become one, which is still filled by what comes of either.
 */
export const withLoss = (losses: ReadonlyArray<Loss>, loss: Loss): Remembered => {
  if (loss.between.length === 0) return { losses, forgottenTo: 0 }
  const all = [...losses, loss]
  if (all.length <= losses_max) return { losses: all, forgottenTo: 0 }
  const over = all.findIndex(({ leftVolume }) => leftVolume === 0)
  if (over !== -1) return { losses: all.toSpliced(over, 1), forgottenTo: endOf(all[over]?.between ?? []) }
  const [oldest, second] = all
  if (oldest === undefined || second === undefined) return { losses: all, forgottenTo: 0 }
  const places = [...oldest.between, ...second.between]
  const forgotten = places.slice(0, Math.max(0, places.length - places_max))
  return {
    losses: [{ ...merged(oldest, second), between: places.slice(forgotten.length) }, ...all.slice(2)],
    forgottenTo: endOf(forgotten)
  }
}

const endOf = (spans: ReadonlyArray<Span>): number => Math.max(0, ...spans.map(({ to }) => to))

const merged = (one: Loss, other: Loss): Omit<Loss, "between"> => ({
  fromMs: Math.min(one.fromMs, other.fromMs),
  toMs: Math.max(one.toMs, other.toMs),
  cumVolumeBefore: Math.min(one.cumVolumeBefore, other.cumVolumeBefore),
  cumVolumeAfter: Math.max(one.cumVolumeAfter, other.cumVolumeAfter),
  lostTrades: one.lostTrades === undefined ? other.lostTrades : one.lostTrades + (other.lostTrades ?? 0),
  lostVolume: one.lostVolume + other.lostVolume,
  leftTrades: one.leftTrades + other.leftTrades,
  leftVolume: one.leftVolume + other.leftVolume,
  isMerged: true
})
