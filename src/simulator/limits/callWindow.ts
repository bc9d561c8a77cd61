const second_us = 1_000_000

/**
 * How a second is counted. Nobody has measured which one KIS uses [U]. The default enforces both, which is safe to test
 * against: a client that passes it passes either.
 */
export const windowKinds = ["both", "sliding", "fixed"] as const
export type WindowKind = (typeof windowKinds)[number]

/**
 * The gateway's count for one app key: at most so many calls in any second (sliding) and in every second of the clock
 * (fixed). `countRefused` makes refused calls count as well, so that a client which does not back off stays out.
 */
export const callWindow = (kind: WindowKind, countRefused: boolean) => {
  /** The newest counted calls as a ring; as long as the highest limit seen. */
  let times = new Float64Array(1).fill(Number.NEGATIVE_INFINITY)
  let head = 0
  let newest = Number.NEGATIVE_INFINITY
  let second = Number.NEGATIVE_INFINITY
  let countedInSecond = 0

  const grow = (length: number) => {
    const longer = new Float64Array(length).fill(Number.NEGATIVE_INFINITY)
    for (let at = 0; at < times.length; at++) {
      longer[length - times.length + at] = times[(head + at) % times.length] ?? Number.NEGATIVE_INFINITY
    }
    times = longer
    head = 0
  }

  return {
    /** Whether a call seen at this monotonic time, in microseconds, is admitted under the limit of that moment. */
    admit: (seenAtMicros: number, limit: number): boolean => {
      if (limit > times.length) grow(limit)
      // A call whose body was slow comes here after later ones: it counts as one of now.
      newest = Math.max(newest, seenAtMicros)
      const nowSecond = Math.floor(newest / second_us)
      if (nowSecond !== second) {
        second = nowSecond
        countedInSecond = 0
      }
      const nthNewest = times[(head - limit + times.length) % times.length] ?? Number.NEGATIVE_INFINITY
      const slides = kind === "fixed" || newest - nthNewest >= second_us
      const admitted = slides && (kind === "sliding" || countedInSecond < limit)
      if (admitted || countRefused) {
        times[head] = newest
        head = (head + 1) % times.length
        countedInSecond += 1
      }
      return admitted
    }
  }
}

export type CallWindow = ReturnType<typeof callWindow>
