import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import { marketRules } from "../../../src/simulator/market/MarketRules.ts"
import type { MarketListener, MarketOperation } from "../../../src/simulator/market/MarketView.ts"
import { type FloorOptions, makeTradingFloor, type TradingFloor } from "../../../src/simulator/market/TradingFloor.ts"
import { universe } from "../fixtures.ts"

/** A listener that does nothing but what is given. */
export const hearing = (given: Partial<MarketListener> = {}): MarketListener => ({
  onTrade: () => {},
  onBook: () => {},
  onExpected: () => {},
  onIndex: () => {},
  onOperation: () => {},
  onStepEnd: () => {},
  ...given
})

export const at = (date: string, hour: string): number => {
  const instant = marketInstant(date, hour)
  if (instant === undefined) throw new Error(`${date} ${hour} is no market instant`)
  return instant
}

/** A few hundred issues: every kind, the largest, those in liquidation, some of both venues. */
export const few = universe.filter(
  ({ code, flags }, index) => index % 22 === 0 || flags.includes("L") || code === "005930" || code === "000660"
)

export const openFloor = (
  given: Partial<FloorOptions> & Pick<FloorOptions, "startMs">,
  listener: Partial<MarketListener> = {},
  issues = few
): TradingFloor =>
  makeTradingFloor(
    issues,
    { ...marketRules, seed: 1, tradesPerSecond: 20, hours: "calendar", ...given },
    hearing(listener)
  )

/** Steps of a second from after one instant to another. */
export const runTo = (floor: TradingFloor, endMs: number, stepMs = 1_000): void => {
  for (let atMs = floor.view.nowMs() + stepMs; atMs <= endMs; atMs += stepMs) floor.step(atMs, stepMs)
}

export const brief = ({ expectedOperation, halted, hour, operation }: MarketOperation): string =>
  `${hour} ${operation} ${expectedOperation} ${halted ? "Y" : "N"}`
