import type { WindowKind } from "./callWindow.ts"
import type { Latency } from "./latency.ts"

/** What the gateway enforces beside the number of calls; unknown things are settings, each default argued. */
export interface LimitRules {
  /** See `callWindow`: both kinds of second at once, since KIS's is unknown [U]. */
  readonly window: WindowKind
  /** Whether a refused call counts too [U]; not counting them is what clients report, who get in again at once. */
  readonly countRefused: boolean
  /** Every key is one of a new customer: three calls a second for its first three market days. */
  readonly newCustomer: boolean
  /** Share of calls refused with EGW00201 below the limit, as happens since KIS spreads keys over servers; rate [U]. */
  readonly weather: number
  /** Calls a second in the account ledger's lane (EGW00215); projects pace them at one in 1–2 s. 0: no limit. */
  readonly ledgerCallsPerSecond: number
  /** Approval keys a second and app key (notice of 2026-04-20). 0: no limit. */
  readonly approvalsPerSecond: number
  /** How long answers take. */
  readonly latency: Latency
}

export const limitRules: LimitRules = {
  window: "both",
  countRefused: false,
  newCustomer: false,
  weather: 0,
  ledgerCallsPerSecond: 1,
  approvalsPerSecond: 1,
  latency: { min_ms: 0, max_ms: 0, shape: "uniform" }
}
