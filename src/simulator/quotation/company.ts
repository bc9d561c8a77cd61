import { marketDate, marketMidnight } from "../../calendar/MarketTime.ts"
import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import type { Issue } from "../market/Issue.ts"

const day_ms = 86_400_000

/** A number in [0, 1) that belongs to a code for ever: the made-up company looks the same at every call and start. */
export const characterOf = (code: string): number => {
  let hash = 2_166_136_261
  for (let at = 0; at < code.length; at++) hash = Math.imul(hash ^ code.charCodeAt(at), 16_777_619)
  return (hash >>> 0) / 4_294_967_296
}

/**
 * What the universe does not say of a company, made up from its code. `capital` is in 100 million KRW, the rest in KRW;
 * `listedOn` is `YYYYMMDD`.
 */
export const companyOf = (entry: UniverseEntry, basePrice: number) => {
  const character = characterOf(entry.code)
  const isFund = entry.kind === "etf" || entry.kind === "etn"
  const parValue = isFund ? 0 : character < 0.5 ? 500 : 5_000
  return {
    industry: isFund ? entry.kind.toUpperCase() : character < 0.5 ? "전기·전자" : "서비스업",
    parValue,
    capital: Math.round((entry.listedShares * parValue) / 100_000_000),
    earnings: isFund ? 0 : Math.round(basePrice / (5 + character * 30)),
    bookValue: isFund ? 0 : Math.round(basePrice / (0.5 + character * 3)),
    listedOn: `${1976 + Math.floor(character * 45)}0701`
  }
}

/** Highs and lows of the past year, made up around the base price and never inside today's. */
export const yearOf = (issue: Issue, date: string) => {
  const character = characterOf(issue.entry.code)
  const dayBefore = (days: number) => marketDate(marketMidnight(date) - days * day_ms)
  const isHighToday = issue.high > issue.basePrice * (1.05 + character)
  const isLowToday = issue.low > 0 && issue.low < issue.basePrice * (0.5 + 0.45 * character)
  return {
    high: isHighToday ? issue.high : Math.round(issue.basePrice * (1.05 + character)),
    low: isLowToday ? issue.low : Math.round(issue.basePrice * (0.5 + 0.45 * character)),
    highDate: isHighToday ? date : dayBefore(1 + Math.floor(character * 200)),
    lowDate: isLowToday ? date : dayBefore(201 - Math.floor(character * 200))
  }
}
