/** How lively the market is, where nothing published says so: each default is argued beside it. */
export interface MarketRules {
  /** Issues that set out for an interruption per hour of market time. The captures of 2026-09 show about three a day among some forty issues. */
  readonly interruptionsPerHour: number
  /** The part of the trades in an issue of both venues that is Nextrade's; 30 % is the cap of a symbol. */
  readonly nxtShare: number
  /** Of a market clock that runs faster than the wall's: trades beyond are cut, so that one core suffices. */
  readonly tradesPerWallSecondMax: number
  /** Whether 110, 112, 121 and their kin are announced: documented, and in none of the captured days. */
  readonly announcesPhases: boolean
}

export const marketRules: MarketRules = {
  interruptionsPerHour: 6,
  nxtShare: 0.3,
  tradesPerWallSecondMax: 50_000,
  announcesPhases: false
}
