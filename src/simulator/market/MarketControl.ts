import type { Board } from "./MarketView.ts"

/** What may be done to the market from outside. Each answers why not, in plain words, or nothing when it is done. */
export interface MarketControl {
  /** A volatility interruption of an issue that trades. */
  triggerVi(code: string, kind?: "static" | "dynamic"): string | undefined
  /** Level 1 when not given, of both markets when none is given. Hours and once-a-day rules do not bind it. */
  circuitBreaker(level?: 1 | 2 | 3, market?: Board): string | undefined
  halt(code: string, reason?: string): string | undefined
  /** Through a call auction. */
  resume(code: string): string | undefined
  /** Trades per second × `factor` for so many seconds of market time. */
  burst(factor: number, forSeconds: number): string | undefined
  /** A date (`YYYYMMDD`) or hour (`HHMMSS`) opens the market anew at that time, in the hours of the calendar. */
  setClock(to: {
    readonly date?: string | undefined
    readonly hour?: string | undefined
    readonly speed?: number | undefined
  }): string | undefined
}
