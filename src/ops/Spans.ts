/** A time; `toMs` is outside. UTC milliseconds. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** The same times in order, none touching the next; what is empty is left out. */
export const union = (spans: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const merged: Array<{ fromMs: number; toMs: number }> = []
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (!(fromMs < toMs)) continue
    const before = merged.at(-1)
    if (before !== undefined && fromMs <= before.toMs) before.toMs = Math.max(before.toMs, toMs)
    else merged.push({ fromMs, toMs })
  }
  return merged
}

const overlap_ms = (a: Span, b: Span): number => Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs))

/** Milliseconds of times that do not touch, inside a window. */
export const inside_ms = (spans: ReadonlyArray<Span>, window: Span): number =>
  spans.reduce((sum, span) => sum + overlap_ms(span, window), 0)

/** How long all of some times are. */
export const length_ms = (spans: ReadonlyArray<Span>): number =>
  spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)

/** The parts of some times inside others; both must not touch themselves. */
export const common = (spans: ReadonlyArray<Span>, others: ReadonlyArray<Span>): ReadonlyArray<Span> =>
  spans.flatMap((span) =>
    others.flatMap((other) => {
      const fromMs = Math.max(span.fromMs, other.fromMs)
      const toMs = Math.min(span.toMs, other.toMs)
      return fromMs < toMs ? [{ fromMs, toMs }] : []
    })
  )

/** What is left of some times without others. */
export const without = (spans: ReadonlyArray<Span>, others: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const taken = union(others)
  return spans.flatMap((span) => {
    const left: Array<Span> = []
    let fromMs = span.fromMs
    for (const other of taken) {
      if (other.toMs <= fromMs || other.fromMs >= span.toMs) continue
      if (other.fromMs > fromMs) left.push({ fromMs, toMs: other.fromMs })
      fromMs = Math.max(fromMs, other.toMs)
    }
    return fromMs < span.toMs ? [...left, { fromMs, toMs: span.toMs }] : left
  })
}
