import { type Counts, countCode } from "./Counters.ts"
import type { Floor } from "./market/Floor.ts"
import type { Reply } from "./Reply.ts"

/** What the control address answers. */
export interface Stats {
  readonly uptime_seconds: number
  readonly calls: number
  readonly answered: number
  readonly refusals: number
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

export const statsOf = (counts: Counts, floor: Floor, uptime_ms: number): Stats => ({
  uptime_seconds: Math.floor(uptime_ms / 1_000),
  ...counts,
  refusalsByCode: Object.fromEntries(counts.refusalsByCode),
  streamRefusalsByCode: Object.fromEntries(counts.streamRefusalsByCode),
  symbols: floor.issues.length,
  tradesMade: floor.tradesMade()
})

/** Counts one call to a KIS path. */
export const countReply = (counts: Counts, { refused }: Reply): void => {
  counts.calls += 1
  if (refused === undefined) {
    counts.answered += 1
    return
  }
  counts.refusals += 1
  countCode(counts.refusalsByCode, refused)
}
