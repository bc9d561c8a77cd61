import { Clock, Effect } from "effect"
import type { MailboxGauge } from "../../actor/Mailbox.ts"
import type { Repair } from "../../domain/Gap.ts"

export interface BackfillStatus {
  /** `waiting`: between two tries of what failed. */
  readonly state: "idle" | "filling" | "waiting"
  readonly sinceMs: number
  /** Holes in the mailbox or in hand. */
  readonly waiting: number
  /** Holes looked into, and how many of them are known to lack nothing. */
  readonly repaired: number
  readonly complete: number
  /** Trades found in them, and their shares. */
  readonly trades: number
  readonly volume: number
  readonly lastRepairedAtMs: number | undefined
  /** Holes that stay as they are, by the reason, and those a full mailbox let go of. */
  readonly givenUp: number
  readonly reasons: Readonly<Record<string, number>>
  readonly dropped: number
  /** Tries that failed, and what was last said. */
  readonly failures: number
  readonly lastFailure: string | undefined
}

/** Reasons told apart; what comes after so many is counted as one. */
const reasons_max = 16

/** What a backfill has done so far. It belongs to the actor's identity and survives its restarts. */
export const makeTally = (startedMs: number) => {
  let state: BackfillStatus["state"] = "idle"
  let sinceMs = startedMs
  let repaired = 0
  let complete = 0
  let trades = 0
  let volume = 0
  let lastRepairedAtMs: number | undefined
  let givenUp = 0
  const reasons = new Map<string, number>()
  let failures = 0
  let lastFailure: string | undefined

  return {
    turn: Effect.fnUntraced(function* (to: BackfillStatus["state"]) {
      if (state === to) return
      state = to
      sinceMs = yield* Clock.currentTimeMillis
    }),
    repaired: (repair: Repair, nowMs: number): void => {
      repaired += 1
      if (repair.complete) complete += 1
      trades += repair.trades
      volume += repair.volume
      lastRepairedAtMs = nowMs
    },
    gaveUp: (reason: string): void => {
      givenUp += 1
      const name = reasons.has(reason) || reasons.size < reasons_max ? reason : "other"
      reasons.set(name, (reasons.get(name) ?? 0) + 1)
    },
    failed: (why: string): void => {
      failures += 1
      lastFailure = why
    },
    lastFailure: () => lastFailure,
    status: (mailbox: MailboxGauge): BackfillStatus => ({
      state,
      sinceMs,
      waiting: mailbox.depth,
      repaired,
      complete,
      trades,
      volume,
      lastRepairedAtMs,
      givenUp,
      reasons: Object.fromEntries(reasons),
      dropped: mailbox.counts.dropped,
      failures,
      lastFailure
    })
  }
}
