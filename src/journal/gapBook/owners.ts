import { bySymbol } from "./bySymbol.ts"

/** The exchange's times are whole seconds, and ours are not. */
const slack_ms = 1_000

/** A time of one symbol, UTC milliseconds. */
interface Timed {
  readonly symbol: string | undefined
  readonly fromMs: number
  readonly toMs: number
}

/** Holes of one symbol by the time at which they begin, and of each of them and all before it the one that ends last. */
interface Line<H> {
  readonly holes: ReadonlyArray<H>
  readonly longest: ReadonlyArray<H>
}

/**
 * Finds the hole of the stream over which trades were lost: of several the one with the longest time in common. A market
 * day has tens of thousands of either, so each is found by halving: of the holes that begin before the loss the one that
 * ends last is the best, and of the others only those are looked at that begin within it.
 */
export const makeOwners = <H extends Timed>(holes: ReadonlyArray<H>): ((loss: Timed) => H | undefined) => {
  const lines = new Map([...bySymbol(holes)].map(([symbol, own]) => [symbol, lineOf(own)]))
  return (loss) => {
    const line = lines.get(loss.symbol)
    if (line === undefined) return undefined
    const common_ms = ({ fromMs, toMs }: H) => Math.min(toMs, loss.toMs) - Math.max(fromMs, loss.fromMs)
    const inside = firstAfter(line.holes, loss.fromMs)
    let owner = line.longest[inside - 1]
    if (owner !== undefined && common_ms(owner) < -slack_ms) owner = undefined
    for (let at = inside; at < line.holes.length; at++) {
      const hole = line.holes[at]
      if (hole === undefined || hole.fromMs > loss.toMs + slack_ms) break
      if (common_ms(hole) >= -slack_ms && (owner === undefined || common_ms(hole) > common_ms(owner))) owner = hole
    }
    return owner
  }
}

const lineOf = <H extends Timed>(holes: ReadonlyArray<H>): Line<H> => {
  const sorted = holes.toSorted((a, b) => a.fromMs - b.fromMs)
  let last: H | undefined
  const longest = sorted.map((hole) => (last = last === undefined || hole.toMs > last.toMs ? hole : last))
  return { holes: sorted, longest }
}

/** The index of the first hole that begins after a time. */
const firstAfter = (holes: ReadonlyArray<Timed>, atMs: number): number => {
  let [low, high] = [0, holes.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((holes[middle]?.fromMs ?? Number.POSITIVE_INFINITY) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
