import { common, type Span, union, without } from "./Spans.ts"

/** A symbol that does not change is written every five minutes, so a record that says nothing for twice as long was not made. */
export const silence_ms_max = 600_000

/** A start takes seconds, and a market that has just opened is quiet for some. */
const edge_ms_max = 60_000

/** Watches for times in which nothing at all was written, of any kind. */
export const makeSilences = () => {
  const silent: Array<Span> = []
  let firstMs: number | undefined
  let lastMs: number | undefined
  return {
    /** A record was written, or records from one time to another; in order, but for what several nodes wrote side by side. */
    see: (atMs: number, toMs = atMs): void => {
      firstMs = Math.min(atMs, firstMs ?? atMs)
      if (lastMs !== undefined && atMs - lastMs > silence_ms_max) silent.push({ fromMs: lastMs, toMs: atMs })
      lastMs = Math.max(toMs, lastMs ?? toMs)
    },
    firstMs: () => firstMs,
    lastMs: () => lastMs,
    /**
     * The parts of a time that was to be observed, up to `untilMs`, in which nothing was written, before the first record and
     * after the last included, and no hole of every symbol (`told`) says why.
     */
    unrecorded: (open: ReadonlyArray<Span>, untilMs: number, told: ReadonlyArray<Span>): ReadonlyArray<Span> => {
      const first = firstMs ?? untilMs
      const last = lastMs ?? untilMs
      const edges = [
        { fromMs: Number.NEGATIVE_INFINITY, toMs: first },
        { fromMs: last, toMs: untilMs }
      ]
      const wanted = union(open.map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, untilMs) })))
      // Seconds before the first record and after the last are no silence yet, in an open market they soon are.
      const known = common([...edges, ...silent], wanted).filter(({ fromMs, toMs }) => toMs - fromMs > edge_ms_max)
      return without(union(known), told)
    }
  }
}
