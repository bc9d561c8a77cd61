import { type Issue, tallyOf } from "./Issue.ts"
import { livedMinutes, type LivedPart } from "./livedMinutes.ts"
import type { DayBar, MinuteBar, PastTrade } from "./MarketView.ts"
import { pastDays } from "./pastDays.ts"
import { makeTape, type Tape } from "./Tape.ts"
import type { Trade, Venue } from "./trading.ts"

/** Days that this exchange has lived through, per issue. */
const daysKept = 30

interface Records {
  krx: Tape
  nxt: Tape
  /** Of today, before the simulator was started. */
  lived: { readonly KRX: LivedPart; readonly NXT: LivedPart | undefined } | undefined
  /** The newest first. */
  readonly days: Array<DayBar>
  /** Where the past begins that was not lived through. */
  readonly start: { readonly date: string; readonly close: number; readonly volume: number }
}

/** What has been: today's trades and minutes, and the days before it. */
export interface History {
  /** Forgets everything: the issues are at the start of `date`, or at `hour` of it with what they show as lived. */
  reset(
    issues: ReadonlyArray<Issue>,
    date: string,
    lived: { readonly openHour: string; readonly hour: string } | undefined
  ): void
  record(issue: Issue, trade: Trade): void
  /** Keeps the day `date` as it stands and clears the tapes. */
  turnDay(issues: ReadonlyArray<Issue>, date: string): void
  trades(issue: Issue, venue: Venue): ReadonlyArray<PastTrade>
  minutes(issue: Issue, venue: Venue): ReadonlyArray<MinuteBar>
  days(issue: Issue, count: number, venue: Venue): ReadonlyArray<DayBar>
}

const minuteOf = (hour: string) => Number(hour.slice(0, 2)) * 60 + Number(hour.slice(2, 4))

export const makeHistory = (): History => {
  const records = new Map<Issue, Records>()

  const livedOf = (issue: Issue, openHour: string, hour: string): Records["lived"] => {
    if (issue.open === 0) return undefined
    const fromMinute = minuteOf(openHour)
    const toMinute = Math.max(fromMinute + 1, minuteOf(hour))
    return {
      KRX: { tally: tallyOf(issue), fromMinute, toMinute },
      NXT: issue.nxt && { tally: tallyOf(issue.nxt), fromMinute, toMinute }
    }
  }

  return {
    reset: (issues, date, lived) => {
      for (const issue of issues) {
        records.set(issue, {
          krx: makeTape("KRX"),
          nxt: makeTape("NXT"),
          lived: lived && livedOf(issue, lived.openHour, lived.hour),
          days: [],
          start: { date, close: issue.basePrice, volume: issue.previousVolume }
        })
      }
    },
    record: (issue, trade) => {
      const own = records.get(issue)
      if (own === undefined) return
      if (trade.venue === "KRX") own.krx.record(trade, issue)
      else if (issue.nxt !== undefined) own.nxt.record(trade, issue.nxt)
    },
    turnDay: (issues, date) => {
      for (const issue of issues) {
        const own = records.get(issue)
        if (own === undefined) continue
        const { basePrice: previousClose, high, low, open, value, volume } = issue
        const close = issue.close || issue.price
        // A day without a trade has a bar all the same, flat at its base.
        own.days.unshift({
          date,
          open: open || close,
          high: high || close,
          low: low || close,
          close,
          volume,
          value,
          previousClose
        })
        own.days.length = Math.min(own.days.length, daysKept)
        own.krx = makeTape("KRX")
        own.nxt = makeTape("NXT")
        own.lived = undefined
      }
    },
    trades: (issue, venue) => {
      const own = records.get(issue)
      return own === undefined ? [] : (venue === "KRX" ? own.krx : own.nxt).trades(issue.basePrice)
    },
    minutes: (issue, venue) => {
      const own = records.get(issue)
      if (own === undefined) return []
      const lived = own.lived?.[venue]
      return [...(lived ? livedMinutes(issue, lived) : []), ...(venue === "KRX" ? own.krx : own.nxt).minutes()]
    },
    days: (issue, count, venue) => {
      const own = records.get(issue)
      if (own === undefined) return []
      const lived = own.days.slice(0, count)
      const all = [...lived, ...pastDays(issue, own.start.date, own.start, count - lived.length)]
      if (venue === "KRX") return all
      // Of Nextrade only yesterday's volume is kept; the days before follow the exchange's.
      const share = issue.previousVolume === 0 ? 0 : (issue.nxt?.previousVolume ?? 0) / issue.previousVolume
      return all.map((bar) => ({
        ...bar,
        volume: Math.round(bar.volume * share),
        value: Math.round(bar.value * share)
      }))
    }
  }
}
