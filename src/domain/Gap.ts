/** Every cause of a hole in the record. The list is closed: a new cause is added here. */
export const gapCauses = [
  "disconnect",
  "silence",
  "downtime",
  "continuity",
  "overflow",
  "diskFull",
  "notCovered"
] as const

export type GapCause = (typeof gapCauses)[number]

/** What filled a hole afterwards, and how far. */
export interface Repair {
  readonly source: "backfill"
  /** The broker's call that still had the trades. */
  readonly call: string
  /** Trades found in the hole, and their shares. */
  readonly trades: number
  readonly volume: number
  /** Cumulative volumes on both sides of the hole show that nothing is missing; that a list was read to its end shows nothing. */
  readonly complete: boolean
  /** Shares traded in the hole that no trade was found for, where it is known: lost trades, or off-book ones. */
  readonly missingVolume?: number
  /** UTC, ISO 8601: the list ended here, later than the hole begins; what was before it is not in the list. */
  readonly backTo?: string
}

/** What of lost trades came after all: out of order in the stream, or from the broker's list. Several add up. */
export interface LateRepair {
  readonly source: "late" | "backfill"
  readonly trades: number
  readonly volume: number
  /** Nothing of them is missing any longer. */
  readonly complete: boolean
}

/** The payload of a `gap` record. `from` and `to` are UTC instants, ISO 8601. */
export interface GapPayload {
  readonly from: string
  readonly to: string
  readonly cause: GapCause
  readonly symbol?: string
  /** It lasted still when this was written: a later record of the same hole says how far it went. */
  readonly open?: true
  /** Of cause `continuity`: shares that are missing, and trades; these are absent where no counter told of them, as of an auction's print. */
  readonly lostVolume?: number
  readonly lostTrades?: number
  /** A later record of the same hole says what became of it. */
  readonly repairedBy?: string | Repair | LateRepair
}
