import type { Repair } from "../../domain/Gap.ts"
import type { Hole, Span } from "./Hole.ts"
import type { Reading } from "./readBack.ts"
import type { ListedTrade } from "./tradeRow.ts"

/**
 * What a reading did for a hole, or `undefined` when the list does not reach back to it at all. `inside` are the trades
 * of the reading that happened in the hole.
 */
export const repairOf = (
  hole: Hole,
  span: Span,
  reading: Reading,
  inside: ReadonlyArray<ListedTrade>
): Repair | undefined => {
  const { call, cumVolumeToday, isWhole, trades } = reading
  const [oldest] = trades
  // As many shares as before the hole, or none today: then nothing was traded in it, whatever the list shows.
  const isStill = cumVolumeToday !== undefined && cumVolumeToday === (hole.cumVolumeBefore ?? volumeOfNone(trades))
  if (!isStill && !isWhole && inside.length === 0 && (oldest === undefined || oldest.atMs > span.toMs)) {
    return undefined
  }
  const volume = inside.reduce((sum, each) => sum + (each.volume ?? 0), 0)
  const missing = missingVolume(volumeBetween(hole, span, reading), volume)
  return {
    source: "backfill",
    call,
    trades: inside.length,
    volume,
    complete: missing === 0,
    ...(missing === undefined ? {} : { missingVolume: missing }),
    ...(isWhole || oldest === undefined || oldest.atMs <= span.fromMs
      ? {}
      : { backTo: new Date(oldest.atMs).toISOString() })
  }
}

/** What was traded in the hole, by the cumulative volumes on both sides of it; `undefined` where one is not known. */
const volumeBetween = (hole: Hole, span: Span, reading: Reading): number | undefined => {
  if (hole.parts !== undefined) {
    return hole.parts.reduce((sum, { cumVolumeAfter, cumVolumeBefore }) => sum + cumVolumeAfter - cumVolumeBefore, 0)
  }
  const lower = hole.cumVolumeBefore ?? reachedBefore(span, reading)
  const upper = hole.cumVolumeAfter ?? reachedAtEnd(span, reading)
  return lower === undefined || upper === undefined ? undefined : upper - lower
}

const reachedBefore = ({ fromMs }: Span, { cumVolumeToday, trades }: Reading): number | undefined =>
  cumVolumeToday === 0 ? volumeOfNone(trades) : trades.findLast(({ atMs }) => atMs < fromMs)?.cumVolume

const volumeOfNone = (trades: ReadonlyArray<ListedTrade>) => (trades.length === 0 ? 0 : undefined)

/** What the first listed trade after the hole came on top of, or today's volume when nothing has been traded since. */
const reachedAtEnd = ({ toMs }: Span, { cumVolumeToday, trades }: Reading): number | undefined => {
  const after = trades.find(({ atMs }) => atMs > toMs)
  if (after !== undefined) {
    return after.cumVolume === undefined || after.volume === undefined ? undefined : after.cumVolume - after.volume
  }
  const newest = trades.at(-1)
  return newest === undefined || newest.cumVolume === cumVolumeToday ? cumVolumeToday : undefined
}

/** More found than was traded: one of the volumes is not what it was taken for, and nothing is known. */
const missingVolume = (traded: number | undefined, found: number): number | undefined =>
  traded === undefined || traded < found ? undefined : traded - found
