import type { Issue } from "./Issue.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Activity falls with the rank by yesterday's turnover; at 400 trades a second the first makes about 30 of them. */
const activityExponent = 0.9

/** Draws the issue that the next order is for. */
export interface Activity {
  draw(random: SeededRandom): Issue | undefined
  /** Any of the busier third alike: what leaps is seldom what trades most. */
  drawBusy(random: SeededRandom): Issue | undefined
}

/** The first position whose sum exceeds `draw`. */
const positionOf = (sums: Float64Array, draw: number): number => {
  let low = 0,
    high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > draw) high = middle
    else low = middle + 1
  }
  return low
}

export const makeActivity = (issues: ReadonlyArray<Issue>): Activity => {
  const turnover = (issue: Issue) => issue.previousVolume * issue.basePrice
  const ranked = issues.filter((issue) => !issue.still && !issue.liquidating).sort((a, b) => turnover(b) - turnover(a))
  const sums = new Float64Array(ranked.length)
  let total = 0
  for (let rank = 0; rank < ranked.length; rank++) sums[rank] = total += (rank + 1) ** -activityExponent
  return {
    draw: (random) => ranked[positionOf(sums, random.next() * total)],
    drawBusy: (random) => ranked[random.below(Math.ceil(ranked.length / 3))]
  }
}

/** How busy the regular session is at a part (0 … 1) of it, 1 on average: most at the open, and again before the close. */
export const dayShape = (part: number): number =>
  (0.62 + 2.2 * Math.exp(-14 * part) + 1.3 * Math.exp(-12 * (1 - part))) / 0.885
