/** From how many free bytes on a file system is low, and below how many the journal's appends stop. */
export interface Limits {
  readonly low_bytes: number
  readonly stop_bytes: number
}

/** A small file system, a rehearsal's or a container's, must not be full from the start. */
const low_share_max = 1 / 4
const stop_share_max = 1 / 16
/** Room that has come back counts only with so much beyond the limit, or a writer at the limit would stop and go. */
const again_share = 1 / 8
const again_bytes_max = 16_000_000

/** The limits of a file system of so many bytes. */
export const limitsFor = ({ low_bytes, stop_bytes }: Limits, total_bytes: number): Limits => ({
  low_bytes: Math.min(low_bytes, total_bytes * low_share_max),
  stop_bytes: Math.min(stop_bytes, total_bytes * stop_share_max)
})

/** Whether there is too little room to append; `isStopped` says how it was before. */
export const isBelowStop = (free_bytes: number, { stop_bytes }: Limits, isStopped: boolean): boolean =>
  stop_bytes > 0 && free_bytes < stop_bytes + (isStopped ? Math.min(stop_bytes * again_share, again_bytes_max) : 0)
