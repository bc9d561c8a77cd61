/** How often a symbol is to be swept. */
export interface SweepTarget {
  readonly symbol: string
  /** How old its quote may become at the most, by the settings. */
  readonly target_ms: number
  /** How old it becomes with the calls there are, if all goes well. */
  readonly planned_ms: number
}

/** A symbol to stream: its trades, and its order book where that is wanted too. */
export interface StreamTarget {
  readonly symbol: string
  readonly book: boolean
}

/** What the plan asks of the accounts. */
export interface Assignment {
  readonly sweep: ReadonlyArray<SweepTarget>
  /** What each account streams, by its alias, the most important first. */
  readonly streams: ReadonlyMap<string, ReadonlyArray<StreamTarget>>
}

/** What an account can do now, for the plan. */
export interface AccountAbility {
  readonly alias: string
  /** Calls a second that the broker was found to take. */
  readonly callsPerSecond: number
  /** Registrations its stream is believed to take; 0 where it cannot stream. */
  readonly slots: number
  /** Whether it has the call for 30 symbols, which knows indices too; the mock has not. */
  readonly multiPrice: boolean
  /** Why it can do nothing at all: its credentials are refused. */
  readonly down?: string
}

/** What the sweep knows of a symbol. Times are the machine's, UTC milliseconds. */
export interface SymbolAge {
  readonly symbol: string
  readonly target_ms: number
  readonly seenAtMs?: number
  /** The longer of the time between its two newest answers and its age now, since the market opened or it was first wanted. */
  readonly staleness_ms: number
  /** How often it was older than its target, how old at the most, and why. */
  readonly late: { readonly times: number; readonly worst_ms: number; readonly reason?: string }
  /** Answers in a row that left it out. */
  readonly misses: number
  readonly price?: number
  readonly cumVolume?: number
}

/** The cumulative volume of a symbol that the sweep saw last. */
export interface SweptVolume {
  readonly cumVolume: number
  /** When the answer came: the machine's clock, UTC milliseconds. */
  readonly atMs: number
}
