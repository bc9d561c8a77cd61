import type { OpenSpan } from "./Phases.ts"

/** A record has as many gaps as open days were missed; after so many they are told as one. */
const spans_max = 400

/**
 * The times between the newest record of the journal and now, market milliseconds, in which the market was open and
 * nobody observed it. None when the record is newer than now: then the clock was set back, or another day is rehearsed.
 * Nor was missed what lies before `beginsMs`, where a rehearsal begins: it was never played.
 */
export const missedSpans = (
  between: { readonly lastMs: number; readonly nowMs: number; readonly beginsMs: number | undefined },
  openSpans: (fromMs: number, toMs: number) => ReadonlyArray<OpenSpan>
): ReadonlyArray<OpenSpan> => {
  const { beginsMs, lastMs, nowMs } = between
  const fromMs = Math.max(lastMs, beginsMs ?? lastMs)
  if (!(fromMs < nowMs)) return []
  const spans = openSpans(fromMs, nowMs)
  const [first] = spans
  return first !== undefined && spans.length > spans_max ? [{ fromMs: first.fromMs, toMs: nowMs }] : spans
}
