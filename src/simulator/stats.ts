import { type Counts, countCode } from "./Counters.ts"
import type { MarketView } from "./market/MarketView.ts"
import type { CallEntry } from "./ledger/LedgerEntry.ts"

/** What the control address answers. */
export interface Stats {
  readonly uptime_seconds: number
  readonly calls: number
  readonly answered: number
  readonly refusals: number
  /** Kept back by a fault, or the client had gone. */
  readonly unanswered: number
  readonly refusalsByCode: Readonly<Record<string, number>>
  readonly tokensIssued: number
  readonly approvals: number
  readonly sessions: number
  readonly streamRefusalsByCode: Readonly<Record<string, number>>
  readonly slowClientsCut: number
  readonly silentClientsCut: number
  readonly framesSent: number
  readonly recordsSent: number
  readonly symbols: number
  readonly tradesMade: number
}

export const statsOf = (counts: Counts, market: MarketView, uptime_ms: number): Stats => ({
  uptime_seconds: Math.floor(uptime_ms / 1_000),
  ...counts,
  refusalsByCode: Object.fromEntries(counts.refusalsByCode),
  streamRefusalsByCode: Object.fromEntries(counts.streamRefusalsByCode),
  symbols: market.issues.length,
  tradesMade: market.tradesMade()
})

/** Counts one call to a KIS path. */
export const countCall = (counts: Counts, { code, outcome }: CallEntry): void => {
  counts.calls += 1
  if (outcome === "answered") counts.answered += 1
  else if (outcome === "unanswered") counts.unanswered += 1
  else {
    counts.refusals += 1
    countCode(counts.refusalsByCode, code ?? "")
  }
}
