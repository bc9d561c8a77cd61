import type { OpenSpan } from "../../calendar/Phases.ts"

/** Spans in order, those that touch made one. */
export const unionOf = (spans: ReadonlyArray<OpenSpan>): ReadonlyArray<OpenSpan> => {
  const union: Array<OpenSpan> = []
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = union.at(-1)
    if (last === undefined || span.fromMs > last.toMs) union.push(span)
    else union[union.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) }
  }
  return union
}

/** How long two unions have in common, milliseconds. */
export const overlap_ms = (some: ReadonlyArray<OpenSpan>, others: ReadonlyArray<OpenSpan>): number =>
  some.reduce(
    (sum, span) =>
      sum +
      others.reduce(
        (common, other) => common + Math.max(0, Math.min(span.toMs, other.toMs) - Math.max(span.fromMs, other.fromMs)),
        0
      ),
    0
  )
