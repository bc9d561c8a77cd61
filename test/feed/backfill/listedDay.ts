import { Effect } from "effect"
import { marketHour } from "../../../src/calendar/MarketTime.ts"
import type { TradeLists } from "../../../src/kis/TradeList.ts"

/** A trade as it happened. `cumVolume` tells the trades of a day apart. */
export interface DayTrade {
  readonly atMs: number
  readonly volume: number
  readonly cumVolume: number
  /** Whether the broker's list has it. */
  readonly isListed: boolean
}

/** A day of trades from (seconds since the one before, volume, listed) each. */
export const dayOf = (
  beginMs: number,
  steps: ReadonlyArray<{ readonly after_seconds: number; readonly volume: number; readonly isListed?: boolean }>,
  cumVolumeBegin = 0
): ReadonlyArray<DayTrade> => {
  let atMs = beginMs
  let cumVolume = cumVolumeBegin
  return steps.map(({ after_seconds, isListed = true, volume }) => {
    atMs += after_seconds * 1_000
    cumVolume += volume
    return { atMs, volume, cumVolume, isListed }
  })
}

export const rowOf = ({ atMs, cumVolume, volume }: DayTrade) => ({
  stck_cntg_hour: marketHour(atMs),
  stck_prpr: "70000",
  askp: "70100",
  bidp: "70000",
  acml_vol: String(cumVolume),
  cnqn: String(volume)
})

/** The newest listed trades at or before an hour. */
export const pageOf = (day: ReadonlyArray<DayTrade>, hour: string, pageSize: number): ReadonlyArray<DayTrade> =>
  day
    .filter(({ atMs, isListed }) => isListed && marketHour(atMs) <= hour)
    .toReversed()
    .slice(0, pageSize)

/** The lists of a day of one symbol, and the hours that were asked for. */
export const listsOf = (day: ReadonlyArray<DayTrade>, pageSize = 30) => {
  const asked: Array<string> = []
  const lists: TradeLists = {
    until: (_symbol, hour) =>
      Effect.sync(() => {
        asked.push(hour)
        return {
          call: "inquire-time-itemconclusion",
          rows: pageOf(day, hour, pageSize).map(rowOf),
          issue: { acml_vol: String(day.at(-1)?.cumVolume ?? 0) }
        }
      }),
    latest: () =>
      Effect.succeed({
        call: "inquire-ccnl",
        rows: pageOf(day, "235959", pageSize).map((trade) => {
          const { acml_vol: _, askp: __, bidp: ___, cnqn, ...rest } = rowOf(trade)
          return { ...rest, cntg_vol: cnqn }
        }),
        issue: undefined
      })
  }
  return { lists, asked }
}
