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

/** The payload of a `gap` record. `from` and `to` are UTC instants, ISO 8601. */
export interface GapPayload {
  readonly from: string
  readonly to: string
  readonly cause: GapCause
  readonly symbol?: string
  readonly lostVolume?: number
  readonly lostTrades?: number
  readonly repairedBy?: string
}
