import { isOutsideTarget, type PlanReport, type SymbolCoverage } from "../Coverage.ts"

/** Symbols that are named in one marker; the others are counted. */
const named_max = 1_000

const ageOf = ({ staleness_seconds = Number.POSITIVE_INFINITY }: SymbolCoverage): number => staleness_seconds

/**
 * What the day was promised and what it got, for the record: every class, who was late, and who is outside its target at
 * the end, the worst first. A symbol is late once it is answered again; one that never was is only outside.
 */
export const dayCoverage = (
  { classes, notCovered, symbols: count, unmet }: PlanReport,
  symbols: ReadonlyArray<SymbolCoverage>
) => {
  const late = symbols
    .filter(({ late: { times } }) => times > 0)
    .sort((a, b) => b.late.worst_seconds - a.late.worst_seconds)
    .map(({ late: { times, worst_seconds }, reason, symbol, target_seconds }) => ({
      symbol,
      target_seconds,
      times,
      worst_seconds,
      reason
    }))
  const outside = symbols
    .filter(isOutsideTarget)
    .sort((a, b) => (ageOf(a) === ageOf(b) ? 0 : ageOf(b) - ageOf(a)))
    .map(({ reason, staleness_seconds, symbol, target_seconds }) => ({
      symbol,
      target_seconds,
      ...(staleness_seconds === undefined ? {} : { staleness_seconds }),
      reason
    }))
  const unseen = symbols.filter(({ lastSeenAt }) => lastSeenAt === undefined).map(({ symbol }) => symbol)
  return {
    event: "coverage",
    symbols: count,
    classes,
    lateSymbols: late.length,
    late: late.slice(0, named_max),
    outsideSymbols: outside.length,
    outside: outside.slice(0, named_max),
    unseen,
    unmet,
    notCovered
  }
}
