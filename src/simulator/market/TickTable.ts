/** Tick sizes since 2023-01-25 and the daily price limits. Prices are KRW. */

const shareTicks: ReadonlyArray<readonly [below: number, tick: number]> = [
  [2_000, 1],
  [5_000, 5],
  [20_000, 10],
  [50_000, 50],
  [200_000, 100],
  [500_000, 500],
  [Number.POSITIVE_INFINITY, 1_000]
]

const fundTicks: ReadonlyArray<readonly [below: number, tick: number]> = [
  [2_000, 1],
  [Number.POSITIVE_INFINITY, 5]
]

/** The grid of one kind of issue; every method but `floor` and `ceil` expects a price that lies on it. */
export interface Grid {
  tick(price: number): number
  up(price: number): number
  down(price: number): number
  floor(price: number): number
  ceil(price: number): number
}

const gridOf = (table: ReadonlyArray<readonly [below: number, tick: number]>): Grid => {
  const tick = (price: number) => {
    for (const [below, size] of table) if (price < below) return size
    return Number.NaN
  }
  const floor = (price: number) => Math.floor(price / tick(price)) * tick(price)
  return {
    tick,
    up: (price) => price + tick(price),
    // The tick that led up to a boundary price is the one below the boundary.
    down: (price) => price - tick(price - 1),
    floor,
    ceil: (price) => (floor(price) === price ? price : floor(price) + tick(price))
  }
}

export const shareGrid = gridOf(shareTicks)
/** ETF and ETN. */
export const fundGrid = gridOf(fundTicks)

/** ±`percent` of the base price, rounded inward to a tick that is valid at the resulting price. */
export const priceLimits = (
  base: number,
  grid: Grid,
  percent = 30
): { readonly upper: number; readonly lower: number } => ({
  upper: Math.max(1, grid.floor((base * (100 + percent)) / 100)),
  lower: Math.max(1, grid.ceil((base * (100 - percent)) / 100))
})
