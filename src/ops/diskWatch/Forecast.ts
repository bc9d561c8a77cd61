/** Free bytes at a place on the axis of time in which the market was open, in milliseconds of it. */
interface Sample {
  readonly open_ms: number
  readonly free_bytes: number
}

const minute_ms = 60_000
const hour_ms = 3_600_000
/** One sample in so much open time; six hours of them say what the pace is. */
const every_ms = 2 * minute_ms
const samples_max = 180
/** Two samples closer to each other say more of a compressed file than of the pace, and less time nothing. */
const baseline_ms = hour_ms / 2
/** A change of one sample to the next that is so much and so many times the usual one is somebody's deed, not the pace. */
const step_bytes = 512_000_000
const step_times = 10
/** A slower one fills nothing in years. */
const pace_bytes_hour_min = 1_000_000

const medianOf = (values: ReadonlyArray<number>): number | undefined => {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}

/** The samples as they were without steps: a day that was deleted, a copy that somebody made. */
const withoutSteps = (samples: ReadonlyArray<Sample>): ReadonlyArray<Sample> => {
  const changes = samples.slice(1).map(({ free_bytes }, index) => free_bytes - (samples[index]?.free_bytes ?? 0))
  const usual = medianOf(changes.map(Math.abs)) ?? 0
  const ordinary = medianOf(changes) ?? 0
  const isStep = (change: number) => Math.abs(change) > Math.max(step_bytes, step_times * usual)
  let shift = 0
  return samples.map(({ free_bytes, open_ms }, index) => {
    const change = index === 0 ? 0 : (changes[index - 1] ?? 0)
    if (isStep(change)) shift += ordinary - change
    return { open_ms, free_bytes: free_bytes + shift }
  })
}

/**
 * Bytes by which free space shrinks in an hour of open market; `undefined` while there is no pace to speak of. It is the
 * median of the slopes between all pairs of samples that are half an hour or more apart (Theil and Sen), steps taken out, so
 * that neither files that are compressed nor what others delete or write once makes nonsense of it.
 */
export const paceOf = (samples: ReadonlyArray<Sample>): number | undefined => {
  const plain = withoutSteps(samples)
  const slopes: Array<number> = []
  for (const [index, from] of plain.entries()) {
    for (const to of plain.slice(index + 1)) {
      const apart_ms = to.open_ms - from.open_ms
      if (apart_ms >= baseline_ms) slopes.push((from.free_bytes - to.free_bytes) / apart_ms)
    }
  }
  const pace = (medianOf(slopes) ?? 0) * hour_ms
  return pace >= pace_bytes_hour_min ? pace : undefined
}

/** How fast a file system fills, from what was free in the last hours of open market. */
export class Forecast {
  private samples: Array<Sample> = []
  private lastAtMs: number | undefined
  private open_ms = 0
  private shift_bytes = 0
  private pace: number | undefined

  /** Takes what is free now. What changed while the market was closed is nobody's pace. */
  see(atMs: number, free_bytes: number, isOpen: boolean): void {
    if (!isOpen) {
      this.lastAtMs = undefined
      return
    }
    const newest = this.samples.at(-1)
    if (this.lastAtMs === undefined) {
      if (newest !== undefined) this.shift_bytes = newest.free_bytes - free_bytes
    } else {
      // A clock that was set says nothing of how long it was.
      const passed_ms = atMs - this.lastAtMs
      this.open_ms += passed_ms > 0 && passed_ms <= every_ms ? passed_ms : 0
    }
    this.lastAtMs = atMs
    if (newest !== undefined && this.open_ms - newest.open_ms < every_ms) return
    this.samples.push({ open_ms: this.open_ms, free_bytes: free_bytes + this.shift_bytes })
    this.samples = this.samples.slice(-samples_max)
    this.pace = paceOf(this.samples)
  }

  /** Whether there is enough to say what the pace is, be it none. */
  get isKnown(): boolean {
    const [first] = this.samples
    return first !== undefined && (this.samples.at(-1)?.open_ms ?? 0) - first.open_ms >= baseline_ms
  }

  /** Milliseconds of open market until so many bytes are used up; `undefined` while there is no pace. */
  open_ms_left(room_bytes: number): number | undefined {
    return this.pace === undefined ? undefined : (Math.max(0, room_bytes) / this.pace) * hour_ms
  }
}
