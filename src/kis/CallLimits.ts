/** Calls a second of one app key, from when they are known, and from where. */
export interface CallLimit {
  readonly callsPerSecond: number
  /** Market date (`YYYY-MM-DD`) of the notice; absent where a setting says the number. */
  readonly asOf?: string
  /** In words, for the log. */
  readonly source: string
}

/** The counter a call runs into: the gateway's alone, or beside it that of the account ledger, which is slower. */
export type CallLane = "quotes" | "ledger"

/**
 * The broker's notices, the newest first (kis/limits.md §1). One of 2026-09-16 has figures nobody could read, and a new
 * live customer has 3 calls a second in the first three days since 2026-04-03, which a key does not tell: both are left to
 * the budget, which learns downward.
 */
const notices = [
  { asOf: "2026-04-20", live: 18, mock: 1, source: "notice of 2026-04-20; the figures of 2026-09-16 are not known" },
  { asOf: "2025-08-07", live: 20, mock: 2, source: "notice of 2025-08-07" }
] as const

/** What the broker allows an app key on a market date (`YYYY-MM-DD`, or any text that begins with one). */
export const limitAt = (env: "live" | "mock", marketDate: string): CallLimit => {
  const { asOf, source, ...calls } = notices.find((notice) => notice.asOf <= marketDate) ?? notices[1]
  return { callsPerSecond: calls[env], asOf, source }
}

/** The date of the newest limits known. */
export const limitsAsOf = notices[0].asOf

/** A number of the user's own, or the broker's for the date. */
export const limitOr = (own: number | undefined, env: "live" | "mock", marketDate: string): CallLimit =>
  own === undefined ? limitAt(env, marketDate) : { callsPerSecond: own, source: "KIS_CALLS_PER_SECOND" }

/** Calls a second to the account ledger; clients pace them at one in one to two seconds (kis/limits.md §2). */
export const ledgerCallsPerSecond = 1

/** Transactions of the account ledger by their TR: balance, orders, holidays, product information (kis/limits.md §2). */
export const laneOf = (trId: string): CallLane => (/^(CT|TT)/.test(trId) ? "ledger" : "quotes")
