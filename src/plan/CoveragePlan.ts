import type { AccountAbility, Assignment, StreamTarget, SweepTarget } from "../domain/Assignment.ts"
import { isIndexCode } from "../domain/SymbolCode.ts"
import { multiPriceSymbols_max } from "../kis/Quotations.ts"
import { assignStreams, type Held } from "./coveragePlan/assignStreams.ts"
import type { SymbolClass, TargetSeconds } from "../domain/SymbolClass.ts"
import type { PlannedSymbol } from "./PlannedSymbol.ts"

export interface PlanInput {
  /** The most important first; who is named earlier wins a tie. */
  readonly symbols: ReadonlyArray<PlannedSymbol>
  readonly accounts: ReadonlyArray<AccountAbility>
  readonly target_seconds: TargetSeconds
  /** Of how many streamed symbols the order book is streamed, too. */
  readonly books: number
  /** Who streams what now, and since when. */
  readonly held: ReadonlyArray<Held>
  readonly nowMs: number
}

/** What the plan promises for one class of symbols. */
export interface ClassPlan {
  readonly class: SymbolClass
  readonly symbols: number
  readonly target_seconds: number
  /** How old a quote becomes at the most, if all goes well. */
  readonly expected_seconds: number
}

/** A target that cannot be met, and what it would take. */
export interface Unmet {
  readonly class: SymbolClass
  readonly target_seconds: number
  readonly expected_seconds: number
  readonly needs: string
}

/** Who is streamed, who is swept how often, what that gives and what it does not. */
export interface CoveragePlan extends Assignment {
  /** Calls a second over all accounts. */
  readonly callsPerSecond: number
  /** Calls that see every symbol once. */
  readonly callsPerSweep: number
  readonly streamed: number
  readonly classes: ReadonlyArray<ClassPlan>
  readonly unmet: ReadonlyArray<Unmet>
  /** Nobody can ask for them: indices where only the mock is left, everything where no account is. */
  readonly notCovered: ReadonlyArray<string>
}

/** Share of the calls that the plan spends on the sweep: repairs, weather and the time answers take are the rest. */
const spent_share = 0.95

/**
 * The plan for what there is to see and what there is to see it with. Every symbol is swept; the stream is a finer view of
 * those that trade most. The targets are stretched or tightened alike until they use all the calls there are.
 */
export const plan = (input: PlanInput): CoveragePlan => {
  const accounts = input.accounts.filter(({ down }) => down === undefined)
  const knowsIndices = accounts.some(({ multiPrice }) => multiPrice)
  const canAsk = ({ symbol }: PlannedSymbol) => accounts.length > 0 && (knowsIndices || !isIndexCode(symbol))
  const symbols = input.symbols.filter(canAsk)
  const callsPerSecond = sum(accounts.map((account) => account.callsPerSecond))
  const symbolsPerSecond = sum(accounts.map((account) => account.callsPerSecond * symbolsPerCall(account)))
  const target = (of: PlannedSymbol) => input.target_seconds[of.class]
  const wantedPerSecond = sum(symbols.map((symbol) => 1 / target(symbol)))
  /** By how much every target is stretched (above 1) or undercut (below). */
  const stretch = symbolsPerSecond > 0 ? wantedPerSecond / (symbolsPerSecond * spent_share) : 0
  const sweep = symbols.map((symbol): SweepTarget => ({
    symbol: symbol.symbol,
    target_ms: target(symbol) * 1_000,
    planned_ms: Math.round(target(symbol) * stretch * 1_000)
  }))
  const streams = assignStreams({ ...input, symbols, accounts })
  const classes = classesOf(symbols, input.target_seconds, stretch)
  return {
    sweep,
    streams,
    streamed: streamedIn(streams),
    callsPerSecond,
    callsPerSweep: symbolsPerSecond > 0 ? Math.ceil((symbols.length * callsPerSecond) / symbolsPerSecond) : 0,
    classes,
    unmet: unmetOf(classes, stretch, callsPerSecond),
    notCovered: input.symbols.filter((symbol) => !canAsk(symbol)).map(({ symbol }) => symbol)
  }
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

const symbolsPerCall = ({ multiPrice }: AccountAbility): number => (multiPrice ? multiPriceSymbols_max : 1)

const streamedIn = (streams: ReadonlyMap<string, ReadonlyArray<StreamTarget>>): number =>
  sum([...streams.values()].map((each) => each.length))

const classesOf = (
  symbols: ReadonlyArray<PlannedSymbol>,
  target_seconds: TargetSeconds,
  stretch: number
): ReadonlyArray<ClassPlan> => {
  const counts = new Map<SymbolClass, number>()
  for (const symbol of symbols) counts.set(symbol.class, (counts.get(symbol.class) ?? 0) + 1)
  return [...counts].map(([name, count]) => ({
    class: name,
    symbols: count,
    target_seconds: target_seconds[name],
    expected_seconds: Math.round(target_seconds[name] * stretch * 100) / 100
  }))
}

const unmetOf = (classes: ReadonlyArray<ClassPlan>, stretch: number, callsPerSecond: number): ReadonlyArray<Unmet> => {
  if (stretch <= 1) return []
  const needed = Math.ceil(callsPerSecond * stretch)
  const there = Math.round(callsPerSecond * 10) / 10
  return classes.map(({ expected_seconds, target_seconds, ...each }) => ({
    class: each.class,
    target_seconds,
    expected_seconds,
    needs: `${needed} calls a second, there are ${there}: more accounts, fewer symbols, or a target of ${Math.ceil(expected_seconds)} s`
  }))
}
