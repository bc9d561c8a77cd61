import type { PlanReport, SymbolCoverage } from "../Coverage.ts"

/** Symbols that are named in one marker; the others are counted. */
const named_max = 1_000

/** What the day was promised and what it got, for the record: every class, and who was late, the worst first. */
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
  const unseen = symbols.filter(({ lastSeenAt }) => lastSeenAt === undefined).map(({ symbol }) => symbol)
  return {
    event: "coverage",
    symbols: count,
    classes,
    lateSymbols: late.length,
    late: late.slice(0, named_max),
    unseen,
    unmet,
    notCovered
  }
}
