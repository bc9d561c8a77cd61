import { Context, Data, type Effect } from "effect"

/** How one symbol is observed, and how well. Times are in seconds, instants UTC in ISO 8601; absent means unknown. */
export interface SymbolCoverage {
  readonly symbol: string
  readonly name?: string
  /** What decides its target: `index`, `etf`, `watch`, `stock` … */
  readonly class: string
  readonly coverage: "stream+sweep" | "sweep" | "none"
  /** The alias of the account that streams it. */
  readonly account?: string
  readonly target_seconds: number
  /** What the plan lets expect; infinite when nothing covers it. */
  readonly expected_seconds: number
  /** The age of what was last seen, now; absent until something was. */
  readonly staleness_seconds?: number
  readonly lastSeenAt?: string
  /** Why it is outside its target. */
  readonly reason?: string
}

export interface ClassReport {
  readonly class: string
  readonly symbols: number
  readonly target_seconds: number
  readonly expected_seconds: number
  /** Over the symbols of the class, now; not a number where none has been seen. */
  readonly measured: {
    readonly median_seconds: number
    readonly p99_seconds: number
    readonly max_seconds: number
  }
  readonly met: boolean
}

export interface AccountReport {
  readonly alias: string
  readonly state: string
  readonly callsPerSecond: number
  readonly slots: number
  readonly streamed: number
}

/** A target that the calls and slots there are cannot meet, and what it would take. */
export interface UnmetTarget {
  readonly class: string
  readonly target_seconds: number
  readonly expected_seconds: number
  readonly needs: string
}

export interface PlanReport {
  /** UTC, ISO 8601. */
  readonly madeAt: string
  /** What made it necessary: the start, a change of symbols, an account that came or went. */
  readonly reason: string
  readonly symbols: number
  readonly streamed: number
  readonly callsPerSecond: number
  readonly classes: ReadonlyArray<ClassReport>
  readonly accounts: ReadonlyArray<AccountReport>
  readonly unmet: ReadonlyArray<UnmetTarget>
}

export interface SymbolChange {
  readonly add: ReadonlyArray<string>
  readonly remove: ReadonlyArray<string>
}

export interface ChangeReport {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Observed already, or not observed anyway. */
  readonly unchanged: ReadonlyArray<string>
}

/** A change that is not made, not even in part. */
export class ChangeRefused extends Data.TaggedError("ChangeRefused")<{
  readonly problems: ReadonlyArray<{ readonly symbol: string; readonly problem: string }>
}> {
  override get message() {
    return this.problems.map(({ problem, symbol }) => `${symbol}: ${problem}`).join("; ")
  }
}

/** What is observed, how, and how well; and the one way to change it while it runs. */
export class Coverage extends Context.Service<
  Coverage,
  {
    readonly plan: Effect.Effect<PlanReport>
    readonly symbols: Effect.Effect<ReadonlyArray<SymbolCoverage>>
    symbol(code: string): Effect.Effect<SymbolCoverage | undefined>
    /** Adds and removes symbols, all of them or none. */
    change(change: SymbolChange): Effect.Effect<ChangeReport, ChangeRefused>
  }
>()("observer/plan/Coverage") {}
