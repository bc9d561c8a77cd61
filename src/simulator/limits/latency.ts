import type { SeededRandom } from "../market/SeededRandom.ts"

export const latencyShapes = ["uniform", "logNormal"] as const
export type LatencyShape = (typeof latencyShapes)[number]

/** Time between a call and its answer. Log-normal puts 98 of 100 answers between the two ends, with a tail behind them. */
export interface Latency {
  readonly min_ms: number
  readonly max_ms: number
  readonly shape: LatencyShape
}

/** The 1st and the 99th percentile of a normal distribution lie so many standard deviations from its middle. */
const deviations = 2.326
/** No answer is later than so many times `max_ms`: a tail must end. */
const tail = 5

const normal = (random: SeededRandom): number =>
  Math.sqrt(2 * random.exponential()) * Math.cos(2 * Math.PI * random.next())

/** Draws the milliseconds one answer takes. */
export const drawLatency = ({ max_ms, min_ms, shape }: Latency, random: SeededRandom): number => {
  if (max_ms === 0) return 0
  if (shape === "uniform") return min_ms + (max_ms - min_ms) * random.next()
  const low = Math.log(Math.max(1, min_ms))
  const high = Math.log(Math.max(1, max_ms))
  const drawn = Math.exp((low + high) / 2 + ((high - low) / (2 * deviations)) * normal(random))
  return Math.min(drawn, max_ms * tail)
}
