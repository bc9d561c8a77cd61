/** Of market time: what happens in one step has one moment, so a fast clock takes more steps rather than longer ones. */
const stepMax_ms = 1_000
/** What is made up at once after a pause of the whole program, in ticks of the wall's clock. */
const ticksMadeUp = 50

/** The steps that are due. */
export interface DueSteps {
  /** UTC milliseconds of market time, in order. */
  readonly instants: ReadonlyArray<number>
  /** Market time in each. */
  readonly forMs: number
  /** The part of the trades that is made. */
  readonly part: number
}

/**
 * Cuts market time into steps at fixed boundaries, so that what happens does not depend on when a timer fires. A late
 * tick makes up the steps it missed, five seconds' worth at most by the usual tick of 100 ms: of a longer pause the
 * trades are cut, not the auctions and phases. Of a clock so fast that one core could not follow, a part of the trades
 * is cut, always the same.
 */
export const makePace = (stepMs: number, tradesPerWallSecondMax: number) => {
  let lastMs = 0
  const lengthAt = (speed: number) => Math.max(1, Math.min(stepMax_ms, Math.round(stepMs * speed)))

  return {
    /** Starts over at a boundary, which it answers. */
    begin: (nowMs: number, speed: number): number => (lastMs = nowMs - (nowMs % lengthAt(speed))),
    due: (nowMs: number, speed: number, tradesPerSecond: number): DueSteps => {
      const forMs = lengthAt(speed)
      const most = Math.ceil((stepMs * speed * ticksMadeUp) / forMs)
      const boundary = nowMs - (nowMs % forMs)
      const first = Math.max(lastMs - (lastMs % forMs) + forMs, boundary - (most - 1) * forMs)
      const instants: Array<number> = []
      for (let atMs = first; atMs <= boundary; atMs += forMs) instants.push(atMs)
      lastMs = Math.max(lastMs, boundary)
      const part = speed <= 1 ? 1 : Math.min(1, tradesPerWallSecondMax / (tradesPerSecond * speed || 1))
      return { instants, forMs, part }
    }
  }
}
