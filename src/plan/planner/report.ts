import type { AccountAbility, SymbolAge } from "../../domain/Assignment.ts"
import type { AccountReport, ClassReport, MeasuredStaleness, SymbolCoverage } from "../Coverage.ts"
import type { ClassPlan, CoveragePlan } from "../CoveragePlan.ts"
import type { PlannedSymbol } from "../PlannedSymbol.ts"

const seconds = (ms: number): number => Math.round(ms) / 1_000

const isOutside = ({ staleness_ms, target_ms }: SymbolAge): boolean => staleness_ms > target_ms

/** Over those that were seen: one that never is would hide what the others are. It is outside its target all the same. */
const measured = (ages: ReadonlyArray<SymbolAge>): MeasuredStaleness | undefined => {
  const seen = ages.filter(({ seenAtMs }) => seenAtMs !== undefined)
  const sorted = seen.map(({ staleness_ms }) => staleness_ms).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  const [median, p99, max] = [at(0.5), at(0.99), sorted.at(-1)]
  if (median === undefined || p99 === undefined || max === undefined) return undefined
  return { median_seconds: seconds(median), p99_seconds: seconds(p99), max_seconds: seconds(max) }
}

/** What each class was promised beside what was measured of it. */
export const classReports = (
  classes: ReadonlyArray<ClassPlan>,
  symbols: ReadonlyArray<PlannedSymbol>,
  ages: ReadonlyMap<string, SymbolAge>
): ReadonlyArray<ClassReport> =>
  classes.map((promised) => {
    const own = symbols.flatMap((each) => (each.class === promised.class ? (ages.get(each.symbol) ?? []) : []))
    const outside = own.filter(isOutside).length
    const found = measured(own)
    return { ...promised, ...(found === undefined ? {} : { measured: found }), outside, met: outside === 0 }
  })

export const accountReports = (
  accounts: ReadonlyArray<AccountAbility>,
  { streams }: CoveragePlan
): ReadonlyArray<AccountReport> =>
  accounts.map(({ alias, callsPerSecond, down, slots }) => ({
    alias,
    state: down === undefined ? "ok" : "down",
    ...(down === undefined ? {} : { reason: down }),
    callsPerSecond,
    slots,
    streamed: (streams.get(alias) ?? []).map(({ symbol }) => symbol)
  }))

/** Why a symbol is outside its target now; else why it was. */
const reasonOf = (age: SymbolAge | undefined, expected_ms: number): string | undefined => {
  if (age === undefined) return "it has not been asked for yet"
  if (age.misses > 0) return `the broker left it out of ${age.misses} answers`
  if (isOutside(age) && expected_ms > age.target_ms) return "the calls do not suffice for its target"
  return age.late.reason ?? (isOutside(age) ? "no answer has come in time" : undefined)
}

/** One symbol, as people ask for it. */
export const symbolCoverage = (
  planned: PlannedSymbol,
  name: string | undefined,
  { sweep, streams }: { readonly sweep: ReadonlyMap<string, number>; readonly streams: ReadonlyMap<string, string> },
  target_seconds: number,
  age: SymbolAge | undefined
): SymbolCoverage => {
  const expected_ms = sweep.get(planned.symbol)
  const account = streams.get(planned.symbol)
  const reason = expected_ms === undefined ? "no account can ask for it" : reasonOf(age, expected_ms)
  return {
    symbol: planned.symbol,
    ...(name === undefined ? {} : { name }),
    class: planned.class,
    coverage: expected_ms === undefined ? "none" : account === undefined ? "sweep" : "stream+sweep",
    ...(account === undefined ? {} : { account }),
    target_seconds,
    expected_seconds: expected_ms === undefined ? Number.POSITIVE_INFINITY : seconds(expected_ms),
    ...(age === undefined ? {} : { staleness_seconds: seconds(age.staleness_ms) }),
    ...(age?.seenAtMs === undefined ? {} : { lastSeenAt: new Date(age.seenAtMs).toISOString() }),
    late: { times: age?.late.times ?? 0, worst_seconds: seconds(age?.late.worst_ms ?? 0) },
    ...(reason === undefined ? {} : { reason })
  }
}
