import type { MinuteBar } from "../market/MarketView.ts"

/** One row of the minute chart; `hour` is its label, which is not always the minute it tells of. */
export type LabelledBar = MinuteBar

export const minutesMax = 30

const minuteOf = (hour: string): number => Number(hour.slice(0, 2)) * 60 + Number(hour.slice(2, 4))
const hourOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}${String(minute % 60).padStart(2, "0")}00`

const flatAfter = (bar: MinuteBar, hour: string): LabelledBar => ({
  hour,
  open: bar.close,
  high: bar.close,
  low: bar.close,
  close: bar.close,
  volume: 0,
  cumValue: bar.cumValue
})

/**
 * At most thirty minutes that end with the asked one, newest first. As captured: an hour yet to come stamps the running
 * minute with the asked hour, and the minutes between, the running one included, are flat and empty. A running minute
 * without a trade shows the minute before, and a past one without a trade is flat.
 */
export const minuteSeries = (
  bars: ReadonlyArray<MinuteBar>,
  askedHour: string,
  nowHour: string
): ReadonlyArray<LabelledBar> => {
  const [first] = bars
  if (first === undefined) return []
  const byMinute = new Map(bars.map((bar) => [minuteOf(bar.hour), bar]))
  const now = minuteOf(nowHour)
  const asked = minuteOf(askedHour)
  const begin = minuteOf(first.hour)

  /** The newest bar not later than a minute. */
  const upTo = (minute: number): MinuteBar => {
    for (let at = minute; at > begin; at--) {
      const bar = byMinute.get(at)
      if (bar !== undefined && bar.volume > 0) return bar
    }
    return first
  }
  const settled = (minute: number): LabelledBar => {
    const bar = upTo(minute)
    return minuteOf(bar.hour) === minute ? bar : flatAfter(bar, hourOf(minute))
  }

  const rows: Array<LabelledBar> = []
  for (let minute = asked; minute >= begin && rows.length < minutesMax; minute--) {
    const hour = hourOf(minute)
    const isNewest = minute === asked
    if (minute < now) rows.push(settled(minute))
    else if (isNewest) rows.push({ ...upTo(now), hour })
    else rows.push(flatAfter(upTo(Math.max(begin, now - 1)), hour))
  }
  return rows
}

/** What `UN` answers for an issue that Nextrade does not list: thirty minutes of nothing, and no error. */
export const emptySeries = (askedHour: string): ReadonlyArray<LabelledBar> => {
  const asked = minuteOf(askedHour)
  return Array.from({ length: minutesMax }, (_, back) => ({
    hour: hourOf(Math.max(0, asked - back)),
    open: 0,
    high: 0,
    low: 0,
    close: 0,
    volume: 0,
    cumValue: 0
  }))
}
