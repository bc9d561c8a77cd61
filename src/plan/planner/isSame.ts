import type { CoveragePlan } from "../CoveragePlan.ts"

/** Whether two plans ask the same of everybody: expected ages that move by a hair are no news, nor is a rank. */
export const isSame = (a: CoveragePlan, b: CoveragePlan): boolean =>
  a.sweep.length === b.sweep.length &&
  a.sweep.every((target, index) => {
    const other = b.sweep[index]
    return (
      other?.symbol === target.symbol &&
      other.target_ms === target.target_ms &&
      Math.abs(other.planned_ms - target.planned_ms) <= target.planned_ms * 0.02
    )
  }) &&
  JSON.stringify(streamsOf(a)) === JSON.stringify(streamsOf(b)) &&
  JSON.stringify(classesOf(a)) === JSON.stringify(classesOf(b))

const streamsOf = ({ streams }: CoveragePlan): ReadonlyArray<string> =>
  [...streams].flatMap(([alias, of]) => of.map(({ book, symbol }) => `${alias} ${symbol} ${book}`)).sort()

const classesOf = ({ classes, notCovered }: CoveragePlan): ReadonlyArray<unknown> => [
  ...classes.map((each) => [each.class, each.symbols]),
  notCovered
]
