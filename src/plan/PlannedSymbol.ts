import type { SymbolClass } from "../domain/SymbolClass.ts"

/** A symbol as the plan sees it. */
export interface PlannedSymbol {
  readonly symbol: string
  readonly class: SymbolClass
  /** How much it trades beside the others: KRW a day, or since the last plan; only its order counts. */
  readonly activity: number
}

/** Products that are traded like shares and are none. */
const funds = new Set(["etf", "etn"])

/** The class of a symbol: who is watched is watched, whatever else it is. `kind` as the list of issues has it. */
export const classOf = (kind: string | undefined, isIndex: boolean, isWatched: boolean): SymbolClass => {
  if (isWatched) return "watch"
  if (isIndex) return "index"
  return kind !== undefined && funds.has(kind) ? "etf" : "stock"
}
