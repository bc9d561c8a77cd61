import { isIndexCode } from "../domain/SymbolCode.ts"
import { multiPriceSymbols_max } from "../kis/Quotations.ts"

/** Who is streamed, who is swept, and what that costs. */
export interface CoveragePlan {
  /** Every symbol is swept: the stream is a finer view of a few, not a replacement. */
  readonly sweep: ReadonlyArray<string>
  readonly stream: ReadonlyArray<string>
  readonly symbolsPerCall: number
  readonly callsPerSweep: number
  /** How old a symbol's quote is at the most when all goes well. */
  readonly expectedStaleness_seconds: number
}

export interface Budget {
  readonly callsPerSecond: number
  readonly slots: number
  /** Whether the environment has the call for 30 symbols; the mock has not. */
  readonly multiPrice: boolean
}

/** `symbols` come with the most important first; the slots go to them. */
export const plan = (symbols: ReadonlyArray<string>, { callsPerSecond, multiPrice, slots }: Budget): CoveragePlan => {
  const sweep = multiPrice ? symbols : symbols.filter((symbol) => !isIndexCode(symbol))
  const symbolsPerCall = multiPrice ? multiPriceSymbols_max : 1
  const callsPerSweep = Math.ceil(sweep.length / symbolsPerCall)
  return {
    sweep,
    stream: symbols.filter((symbol) => !isIndexCode(symbol)).slice(0, slots),
    symbolsPerCall,
    callsPerSweep,
    expectedStaleness_seconds: callsPerSweep / callsPerSecond
  }
}
