/**
 * Losses of one symbol that are known one by one: so many are remembered of a day, and so many are looked for in the
 * broker's lists at once.
 */
export const losses_max = 256

/** Trades of a stream that did not reach us although it was listened to. Instants are UTC milliseconds of market time. */
export interface LostTrades {
  /** The alias of the account that listened. */
  readonly account: string
  readonly symbol: string
  /** When the trade before them was, and the one after. */
  readonly fromMs: number
  readonly toMs: number
  /** Their place in the day's volume, in shares: above the first, up to the second. */
  readonly cumVolumeBefore: number
  readonly cumVolumeAfter: number
}
