import { common, type Span } from "./Spans.ts"

/** A symbol that does not change is written every five minutes, so a record that says nothing for twice as long was not made. */
export const silence_ms_max = 600_000

/** Watches for times in which nothing at all was written, of any kind. */
export const makeSilences = () => {
  const silent: Array<Span> = []
  let firstMs: number | undefined
  let lastMs: number | undefined
  return {
    see: (atMs: number): void => {
      firstMs = Math.min(atMs, firstMs ?? atMs)
      if (lastMs !== undefined && atMs - lastMs > silence_ms_max) silent.push({ fromMs: lastMs, toMs: atMs })
      lastMs = Math.max(atMs, lastMs ?? atMs)
    },
    firstMs: () => firstMs,
    lastMs: () => lastMs,
    /** The silent parts of a time that was to be observed, before the first record and after the last included. */
    inside: (open: ReadonlyArray<Span>, untilMs: number): ReadonlyArray<Span> => {
      const first = firstMs ?? untilMs
      const last = lastMs ?? untilMs
      const edges = [
        { fromMs: Number.NEGATIVE_INFINITY, toMs: first },
        { fromMs: last, toMs: untilMs }
      ]
      // Seconds before the first record and after the last are no silence yet, in an open market they soon are.
      const known = [...edges, ...silent]
      return common(known, open).filter(({ fromMs, toMs }) => toMs - fromMs > edge_ms_max)
    }
  }
}

/** A start takes seconds, and a market that has just opened is quiet for some. */
const edge_ms_max = 60_000
