const window_ms = 1_000
/**
 * Two clocks under correction run apart by up to 1,000 ppm, and a server that counts in whole milliseconds may take the
 * thousandth one for part of the second.
 */
const slack_ms = 1
/** How long after a call was answered its place is still taken. */
export const hold_ms = window_ms + slack_ms

/**
 * The places of one counter of the broker's. The broker counts a call at some moment between our sending it and our having
 * the answer, so a place is taken at sending and given back one second after the answer. Then no window of one second
 * of theirs holds more calls than there are places, whatever the network does to the spacing, and a counter by
 * the clock's second is satisfied with the sliding one.
 *
 * This is also the most that can be had: calls that overlap, each from its sending to one second after its answer, might
 * all have been counted within one second, and it takes calls that do not overlap to rule that out. So the rate is
 * `places / (1 s + latency)`, and only a shorter latency raises it.
 */
export const makePlaces = (taken: number, nowMs: number) => {
  let inFlight = 0
  /** When each place that was given back becomes free, in order. */
  let freeAtMs: Array<number> = Array.from({ length: taken }, () => nowMs + hold_ms)

  return {
    take: (): void => {
      inFlight += 1
    },
    /** Gives a place back for a call that was answered at that moment, or after it for all we know. */
    giveBack: (answeredAtMs: number): void => {
      inFlight -= 1
      const at = answeredAtMs + hold_ms
      const before = freeAtMs.findLastIndex((each) => each <= at)
      freeAtMs.splice(before + 1, 0, at)
    },
    /** Gives a place back for a call that was never sent. */
    spare: (): void => {
      inFlight -= 1
    },
    /** When there is one to take, with so many in all: now, later, or not before a call has its answer (`Infinity`). */
    openAtMs: (places: number, nowMs: number): number => {
      freeAtMs = freeAtMs.filter((at) => at > nowMs)
      const over = inFlight + freeAtMs.length - places
      return over < 0 ? nowMs : (freeAtMs[over] ?? Infinity)
    },
    /** When the places taken become free, as far as is known: a call under way counts as answered now. */
    spentMs: (nowMs: number): ReadonlyArray<number> => [
      ...freeAtMs.filter((at) => at > nowMs),
      ...Array.from({ length: inFlight }, () => nowMs + hold_ms)
    ]
  }
}
