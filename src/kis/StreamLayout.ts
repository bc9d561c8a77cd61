/** How many values a record of a stream may have, from the narrowest to the widest that is known. */
export interface KnownWidth {
  readonly min: number
  readonly max: number
}

const exactly = (columns: number): KnownWidth => ({ min: columns, max: columns })

/**
 * The widths of the streams, documented and observed (kis/websocket.md §5, §7; `fields/ws_<TR>.json`). The broker has
 * added columns without warning, and always at the end: 46 became 47, 59 became 62 and 63. A stream that is not here
 * is split by its own count.
 */
export const knownWidths: ReadonlyMap<string, KnownWidth> = new Map(
  Object.entries({
    // Trades: the market's class came on 2026-09-14.
    H0STCNT0: { min: 46, max: 47 },
    H0NXCNT0: { min: 46, max: 47 },
    H0UNCNT0: { min: 46, max: 47 },
    // Books: midpoint columns by 2025-07, the market's class (or, of both venues, the expected one) on 2026-09-14.
    H0STASP0: { min: 59, max: 63 },
    H0NXASP0: exactly(65),
    H0UNASP0: { min: 65, max: 66 },
    // Expected matches: 45 documented for KRX, 46 captured.
    H0STANC0: { min: 45, max: 46 },
    H0NXANC0: exactly(46),
    H0UNANC0: exactly(46),
    // Market operation: the one example has 10 of 11; H0UNMKO0 has 10, its code first, in all 17 captured.
    H0STMKO0: { min: 10, max: 11 },
    H0NXMKO0: { min: 10, max: 11 },
    H0UNMKO0: exactly(10),
    H0UPCNT0: exactly(30),
    H0UPANC0: exactly(30),
    H0STNAV0: exactly(8),
    // Brokers: documented nowhere we could read, captured once.
    H0STMBC0: exactly(78),
    // The single-price evening, abolished on 2026-09-14.
    H0STOUP0: exactly(43),
    // Own fills, encrypted: three columns came with Nextrade in 2025-03.
    H0STCNI0: { min: 23, max: 26 },
    H0STCNI9: { min: 23, max: 26 }
  })
)
