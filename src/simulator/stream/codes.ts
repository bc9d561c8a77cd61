import type { Phase } from "../../domain/Phase.ts"

/** The day on which `MARKET_CLS_CODE` came to trades and book, and the after-market to KRX. */
export const afterMarketSince = "20260914"

/** `MARKET_CLS_CODE`: 1 pre-market, 2 regular, 3 after-market, 5 closing price. */
export const marketClass = (phase: Phase): string =>
  phase === "preOpen" ? "1" : phase === "afterClose" ? "5" : phase === "afterMarket" ? "3" : "2"
