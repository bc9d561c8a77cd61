import type { Phase } from "../domain/Phase.ts"

/** Columns of `H0STCNT0` that name the phase (`fields/ws_H0STCNT0.json`), from 0. */
const column = { operation: 34, hourClass: 43, market: 46 } as const

/** `MARKET_CLS_CODE`, since 2026-09-14: 1 pre, 2 regular, 3 after-market, 5 closing price. */
export const phaseOfMarket: Readonly<Record<string, Phase>> = {
  "1": "preOpen",
  "2": "continuous",
  "3": "afterMarket",
  "5": "afterClose"
}

/** The first character of `NEW_MKOP_CLS_CODE`: 1 before the open, 2 session, 3 after the close, 4 single price (kis/websocket.md §7). */
const phaseOfOperation: Readonly<Record<string, Phase>> = {
  "1": "preOpen",
  "2": "continuous",
  "3": "afterClose",
  "4": "afterMarket"
}

/** The phase that a trade's record names by `HOUR_CLS_CODE` and `MARKET_CLS_CODE`; the older 46 columns name none. */
export const tradePhase = (values: ReadonlyArray<string>): Phase | undefined => {
  const hourClass = values[column.hourClass]
  if (hourClass === "B") return "openingAuction"
  return hourClass === "A" ? "closingAuction" : phaseOfMarket[values[column.market] ?? ""]
}

/**
 * The phase that can be concluded from a trade's record, also where it names none: good enough to be compared with the
 * table by the majority of symbols, not to be recorded as the exchange's word.
 */
export const concludedPhase = (values: ReadonlyArray<string>): Phase | undefined => {
  if (values[column.hourClass] === "D") return "afterMarket"
  return tradePhase(values) ?? phaseOfOperation[values[column.operation]?.slice(0, 1) ?? ""]
}
