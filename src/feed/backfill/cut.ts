import { type Hole, overlap_ms, type Span } from "./Hole.ts"
import type { ListedTrade } from "./tradeRow.ts"

/**
 * Whether a listed trade happened in the hole. Cumulative volumes decide where they are known, and then a second more is
 * looked at on that side. Where the volume at an end is not known its second counts as part of the hole, and the shard
 * knows what it has just heard; a trade without a cumulative volume could not be told from a heard one there, so of those
 * only the seconds in between count. What lies between the parts of a hole was heard.
 */
export const isInside = (hole: Hole, span: Span, { atMs, cumVolume }: ListedTrade): boolean => {
  if (cumVolume === undefined) return atMs > span.fromMs && atMs < span.toMs
  const { cumVolumeAfter: after, cumVolumeBefore: before, parts } = hole
  if (parts?.every((part) => cumVolume <= part.cumVolumeBefore || cumVolume > part.cumVolumeAfter)) return false
  if (before === undefined ? atMs < span.fromMs : cumVolume <= before || atMs < span.fromMs - overlap_ms) return false
  return after === undefined ? atMs <= span.toMs : cumVolume <= after && atMs <= span.toMs + overlap_ms
}

/** Whether a trade lies wholly before the hole, so that a list which shows it need not be read further back. */
export const isBefore = (hole: Hole, span: Span, { atMs, cumVolume }: ListedTrade): boolean => {
  const { cumVolumeBefore: before } = hole
  if (before === undefined) return atMs < span.fromMs
  return atMs < span.fromMs - overlap_ms || (cumVolume !== undefined && cumVolume <= before)
}

/** The order of the day: by time, and within a second by what the volume had come to. */
export const byTime = (a: ListedTrade, b: ListedTrade): number =>
  a.atMs - b.atMs || (a.cumVolume === undefined || b.cumVolume === undefined ? 0 : a.cumVolume - b.cumVolume)
