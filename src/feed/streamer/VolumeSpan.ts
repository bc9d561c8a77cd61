/** A part of a symbol's day by its cumulative volume, in shares: above the first, up to the second. */
export interface VolumeSpan {
  readonly cumVolumeBefore: number
  readonly cumVolumeAfter: number
}

/** What is left of some parts without others; what is empty is left out. */
export const without = (
  spans: ReadonlyArray<VolumeSpan>,
  others: ReadonlyArray<VolumeSpan>
): ReadonlyArray<VolumeSpan> => others.reduce(less, spans)

const less = (spans: ReadonlyArray<VolumeSpan>, other: VolumeSpan): ReadonlyArray<VolumeSpan> =>
  spans.flatMap(({ cumVolumeAfter, cumVolumeBefore }) =>
    [
      { cumVolumeBefore, cumVolumeAfter: Math.min(cumVolumeAfter, other.cumVolumeBefore) },
      { cumVolumeBefore: Math.max(cumVolumeBefore, other.cumVolumeAfter), cumVolumeAfter }
    ].filter((rest) => rest.cumVolumeBefore < rest.cumVolumeAfter)
  )
