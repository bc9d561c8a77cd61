import type { Issue } from "./Issue.ts"
import type { Board } from "./MarketView.ts"

/** Whose circuit breaker holds an issue; KONEX has none. */
export const boardOf = ({ entry: { market } }: Issue): Board | undefined =>
  market === "KOSPI" || market === "KOSDAQ" ? market : undefined
