import type { DataKind, RecordSource } from "./JournalRecord.ts"
import type { Phase } from "./Phase.ts"
import type { Venue } from "./Venue.ts"

/** What the broker had counted of a symbol's day at one venue when it told of a trade, this trade included. */
export interface TradeTally {
  /** Buys and sells: one more with each trade that met somebody's quote. The print of an auction leaves them alone. */
  readonly trades: number
  /** Shares of those. */
  readonly sidedVolume: number
  /** Whether this trade is a buy or a sell, and so one of them; absent where that is not known. */
  readonly isSided: boolean | undefined
  /** The price from which the next volatility interruption is reckoned, KRW: that of the newest auction. Absent where it is not told. */
  readonly reference: number | undefined
}

/**
 * One thing a source saw of one symbol, in the source's own words (`payload`) and in ours.
 * A number that the source left blank is absent; one that cannot be read is `NaN`, for the guard to refuse.
 */
export interface Sighting {
  readonly symbol: string
  readonly kind: DataKind
  readonly venue: Venue
  /** UTC milliseconds, when the bytes reached us. */
  readonly receivedAtMs: number
  /** UTC milliseconds, where the source says when it happened. */
  readonly exchangeAtMs?: number | undefined
  /** The phase that the source itself names; absent where it says nothing. */
  readonly phase?: Phase | undefined
  readonly price?: number | undefined
  readonly volume?: number | undefined
  readonly cumVolume?: number | undefined
  /** Of a trade, where its source counts trades and all counters can be read. It may be read when it is asked for. */
  readonly tally?: TradeTally | undefined
  readonly ask?: number | undefined
  readonly bid?: number | undefined
  readonly flags: ReadonlyArray<string>
  /**
   * Equal for two sightings of a quote, a book or an index that say the same thing, whenever they were seen: every field but
   * time. A trade has none, for its time, price, volume and cumulative volume say which one it is.
   */
  readonly sameness?: string
  readonly payload: object
}

/** A chunk of sightings as one source hands it on: one batch of frames or one reply. */
export interface Delivery {
  readonly source: RecordSource
  /** The alias of the account that saw it. */
  readonly account: string
  readonly sightings: ReadonlyArray<Sighting>
  /** Called in the step in which so many of the sightings become a shard's to hold; no part of what the shard is handed. */
  readonly onTaken?: (records: number) => void
  /**
   * Symbols whose trades nobody listened for until the first ones in here: what their counters say of the time before
   * is nobody's loss.
   */
  readonly begins?: ReadonlySet<string>
}
