import { Context, Data, type Effect } from "effect"
import type { Unmet } from "./CoveragePlan.ts"
import type { SymbolClass } from "../domain/SymbolClass.ts"

/** How one symbol is covered, and how well. */
export interface SymbolCoverage {
  readonly symbol: string
  readonly name?: string
  readonly class: SymbolClass
  readonly coverage: "stream+sweep" | "sweep" | "none"
  /** The alias of the account that streams it. */
  readonly account?: string
  readonly target_seconds: number
  /** What the plan lets expect; infinite when nobody can ask for it. */
  readonly expected_seconds: number
  /** The longer of the time between its two newest answers and its age now. */
  readonly staleness_seconds?: number
  /** UTC. */
  readonly lastSeenAt?: string
  /** How often today it was older than its target, and how old at the most. */
  readonly late: { readonly times: number; readonly worst_seconds: number }
  /** Why it is outside its target, or was. */
  readonly reason?: string
}

/** Whether a symbol is outside its target now: older than that, or of no age at all because nobody has asked for it. */
export const isOutsideTarget = ({ staleness_seconds, target_seconds }: SymbolCoverage): boolean =>
  staleness_seconds === undefined || staleness_seconds > target_seconds

/** What was measured of a class, over its symbols. */
export interface MeasuredStaleness {
  readonly median_seconds: number
  readonly p99_seconds: number
  readonly max_seconds: number
}

export interface ClassReport {
  readonly class: SymbolClass
  readonly symbols: number
  readonly target_seconds: number
  readonly expected_seconds: number
  /** Absent while nobody of it has been seen. */
  readonly measured?: MeasuredStaleness
  /** Whether everybody of it is inside the target now. */
  readonly met: boolean
  /** Symbols that are outside it now. */
  readonly outside: number
}

export interface AccountReport {
  readonly alias: string
  readonly state: "ok" | "down"
  readonly reason?: string
  readonly callsPerSecond: number
  readonly slots: number
  readonly streamed: ReadonlyArray<string>
}

/** The plan in force, beside what is measured. */
export interface PlanReport {
  /** UTC. */
  readonly madeAt: string
  /** Why it was made. */
  readonly reason: string
  readonly symbols: number
  readonly streamed: number
  readonly callsPerSecond: number
  readonly callsPerSweep: number
  readonly classes: ReadonlyArray<ClassReport>
  readonly accounts: ReadonlyArray<AccountReport>
  readonly unmet: ReadonlyArray<Unmet>
  /** Symbols that nobody can ask for. */
  readonly notCovered: ReadonlyArray<string>
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
  readonly problems: ReadonlyArray<{ readonly symbol?: string; readonly problem: string }>
}> {
  override get message() {
    return this.problems
      .map(({ problem, symbol }) => (symbol === undefined ? problem : `${symbol}: ${problem}`))
      .join("; ")
  }
}

/** A change that nothing stands against, and that could not be made: the disk, or the end of the program. */
export class ChangeFailed extends Data.TaggedError("ChangeFailed")<{ readonly reason: string }> {
  override get message() {
    return `the observed symbols stay as they are: ${this.reason}`
  }
}

/** Who is covered how: the plan in force, what it promises, and what is measured. */
export class Coverage extends Context.Service<
  Coverage,
  {
    readonly plan: Effect.Effect<PlanReport>
    readonly symbols: Effect.Effect<ReadonlyArray<SymbolCoverage>>
    symbol(code: string): Effect.Effect<SymbolCoverage | undefined>
    /** Adds and removes symbols while it runs, all of them or none; the change is kept over a restart. */
    change(change: SymbolChange): Effect.Effect<ChangeReport, ChangeRefused | ChangeFailed>
  }
>()("observer/plan/Coverage") {}
