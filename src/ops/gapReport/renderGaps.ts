import { marketHour } from "../../calendar/MarketTime.ts"
import type { DayHole } from "../../journal/GapBook.ts"
import { count, plural } from "../countWords.ts"
import type { GapSums } from "../GapReport.ts"
import type { GapsAnswer } from "../Gaps.ts"
import type { DayRecord } from "./dayRecord.ts"

/** So many symbols and holes are shown; the rest is in the JSON. */
const shown = 20

/** `1:02:03`, and under a minute with the part of a second. */
const duration = (seconds: number): string => {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  return [hours, minutes, rest].map((part, at) => (at === 0 ? `${part}` : String(part).padStart(2, "0"))).join(":")
}

const heads = ["holes", "filled", "time", "left", "trades lost", "left", "shares lost", "left"]
const widths = [7, 8, 12, 12, 13, 9, 14, 11]

const line = (name: string, cells: ReadonlyArray<string>): string =>
  name.padEnd(12) + cells.map((cell, at) => cell.padStart(widths[at] ?? 10)).join("")

const row = (name: string, sums: GapSums, time: number, left: number): string =>
  line(name, [
    count(sums.holes),
    count(sums.repaired),
    duration(time),
    duration(left),
    count(sums.lostTrades),
    count(Math.max(0, sums.lostTrades - sums.foundTrades)),
    count(sums.lostShares),
    count(Math.max(0, sums.lostShares - sums.foundShares))
  ])

const at = (atMs: number) => marketHour(atMs).replace(/(..)(..)(..)/, "$1:$2:$3")
const times = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }) => `${at(fromMs)}–${at(toMs)}`

const holeLine = ({ cause, fromMs, lostShares, lostTrades, repair, symbol, toMs }: DayHole): string => {
  const lost = lostShares === 0 ? "" : `, ${plural(lostTrades, "trade")}, ${plural(lostShares, "share")} lost`
  const became = { none: "", partly: ", filled in part", whole: ", filled" }[repair]
  return `${times({ fromMs, toMs })}  ${(symbol ?? "all").padEnd(8)} ${cause}${lost}${became}`
}

const more = (all: number, what: string) =>
  all > shown ? [`… and ${count(all - shown)} more ${what} (--json has them all)`] : []

/** What there is of the day at all, and open hours of which there is nothing. */
const recordLines = (
  { firstMs, isObserved, lastMs, unrecorded, unrecorded_seconds }: DayRecord,
  symbol: string | undefined
): ReadonlyArray<string> => [
  firstMs === undefined || lastMs === undefined
    ? "There is no record of that day."
    : `Records are from ${at(firstMs)} to ${at(lastMs)}.`,
  ...(unrecorded.length === 0
    ? []
    : [
        `Unrecorded, and no gap says why: ${duration(unrecorded_seconds)} of the open hours (${unrecorded.slice(0, shown).map(times).join(", ")}${unrecorded.length > shown ? ", …" : ""}).`
      ]),
  ...(isObserved === false ? [`${symbol} was not to be observed that day.`] : [])
]

const unrecordedRow = ({ unrecorded, unrecorded_seconds }: DayRecord): ReadonlyArray<string> =>
  unrecorded.length === 0
    ? []
    : [
        line("unrecorded", [
          count(unrecorded.length),
          "0",
          duration(unrecorded_seconds),
          duration(unrecorded_seconds),
          ...Array<string>(4).fill("")
        ]).trimEnd()
      ]

/** The answer as people read it; hours are the market's. */
export const renderGaps = ({ record, report, retiredAt }: GapsAnswer): ReadonlyArray<string> => {
  const { all_seconds, causes, day, holes, left_all_seconds, market_seconds, symbol, symbols, total } = report
  const of = symbol === undefined ? day : `${symbol} on ${day}`
  if (retiredAt !== undefined && record.firstMs === undefined) {
    return [
      `${of}: its files were deleted by the retention (${retiredAt}); CERTIFICATE.json in its folder says what was missing.`
    ]
  }
  const open = market_seconds === 0 ? "the market was closed" : `the market was open for ${duration(market_seconds)}`
  if (holes.length === 0) return [`${of}: no gap is on record; ${open}.`, ...recordLines(record, symbol)]
  const longest = [...holes].sort((a, b) => b.toMs - b.leftFromMs - (a.toMs - a.leftFromMs))
  return [
    `${of}: ${plural(holes.length, "hole")}, ${count(total.repaired)} filled, ${count(total.partly)} in part; ${open}.`,
    `Nothing at all was recorded for ${duration(all_seconds)}, of which ${duration(left_all_seconds)} are not filled.`,
    ...recordLines(record, symbol),
    "",
    line("cause", heads),
    ...causes.map((each) => row(each.cause, each, each.symbol_seconds, each.left_symbol_seconds)),
    ...unrecordedRow(record),
    ...(symbol === undefined && symbols.length > 0
      ? [
          "",
          line("symbol", heads),
          ...symbols
            .slice(0, shown)
            .map((each) => row(each.symbol, each, each.symbol_seconds, each.left_symbol_seconds)),
          ...more(symbols.length, "symbols")
        ]
      : []),
    "",
    ...longest.slice(0, shown).map(holeLine),
    ...more(holes.length, "holes")
  ]
}
