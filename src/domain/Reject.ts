/** Every reason for which something received is kept out of the data. The list is closed: a new reason is added here. */
export const rejectReasons = [
  /** The price is blank or absent: the broker has no data for the symbol. */
  "blankPrice",
  /** The price is zero or negative, which is never a price. */
  "zeroPrice",
  /** A book without a price on either side. */
  "emptyBook",
  /** A number cannot be read as one. */
  "badNumber",
  /** The symbol is not one that was asked for. */
  "unknownSymbol",
  /** A stream frame whose values do not divide into its records, or whose records are narrower than known. */
  "frameShape",
  /** A frame of a stream that nobody asked for, or that is not read. */
  "unknownStream",
  /** A reply that is not what the broker's reply should be. */
  "replyShape",
  /** A message that crashed the actor handling it three times in a row. */
  "poison",
  /** Half a line left by a crash, or a line that is not a record. */
  "tornLine"
] as const

export type RejectReason = (typeof rejectReasons)[number]

/** The payload of a `reject` record: why, and what was refused, unchanged. */
export interface RejectPayload {
  readonly reason: RejectReason
  readonly raw: string
}
