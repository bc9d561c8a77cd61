import type { Phase } from "../domain/Phase.ts"
import { isSymbolCode } from "../domain/SymbolCode.ts"
import { meaningOfMarketCode, phaseOfMarketCode } from "./marketCodes.ts"

/** What a record of `H0STMKO0` says: the market's operation, or a halt or volatility interruption of one symbol. */
export interface MarketStatus {
  /** UTC milliseconds in market time, when it reached us. */
  readonly atMs: number
  /** The symbol it was registered for; absent where the record does not begin with one. */
  readonly symbol: string | undefined
  /** `MKOP_CLS_CODE`, verbatim; blank where only the symbol's own state is told. */
  readonly code: string
  /** What the code means, as far as is known. */
  readonly meaning: string | undefined
  /** The phase of the whole market that the code begins; absent where it names none. */
  readonly phase: Phase | undefined
  /** `ANTC_MKOP_CLS_CODE`: 311 and 112 frame the times of expected matches. */
  readonly expectedCode: string
  /** Trading in the symbol is halted. */
  readonly isHalted: boolean
  /** A volatility interruption of the symbol runs. */
  readonly isInterrupted: boolean
}

/** Narrower records are no market status: ten columns were captured, eleven are documented (`fields/ws_H0STMKO0.json`). */
export const statusColumns_min = 10

/** Reads a record of `H0STMKO0`. The table of its unified twin has no symbol, so the first column is looked at before it is believed. */
export const marketStatus = (values: ReadonlyArray<string>, atMs: number): MarketStatus => {
  const first = (values[0] ?? "").trim()
  const from = isSymbolCode(first) ? 1 : 0
  const at = (index: number) => (values[from + index] ?? "").trim()
  const code = at(2)
  return {
    atMs,
    symbol: from === 1 ? first : undefined,
    code,
    meaning: meaningOfMarketCode(code),
    phase: phaseOfMarketCode(code),
    expectedCode: at(3),
    isHalted: at(0) === "Y",
    isInterrupted: at(7) === "Y"
  }
}
