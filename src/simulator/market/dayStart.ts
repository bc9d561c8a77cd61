import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import { type Issue, type NxtFigures, type Quotes, refreshBook, type Tally, untraded } from "./Issue.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { setBid } from "./trading.ts"

/** What had passed of the day when the simulator was started; hours `HHMMSS`, `part` of an ordinary day's volume. */
export interface Passed {
  readonly openHour: string
  readonly nowHour: string
  readonly part: number
}

const bell = (random: SeededRandom) => random.next() + random.next() + random.next() - 1.5

const clampTo = (issue: Issue, price: number) => Math.min(issue.upper, Math.max(issue.lower, issue.grid.floor(price)))

/** Trades that nobody saw, around the prices given. */
const fill = (
  tally: Tally & Quotes,
  issue: Issue,
  random: SeededRandom,
  passed: Passed,
  volume: number,
  auctioned: number
) => {
  const { nowHour, openHour } = passed
  const since = volume - auctioned
  const swing = since === 0 ? 0 : 0.02 * random.next()
  tally.volume = volume
  tally.price = since === 0 ? tally.open : clampTo(issue, tally.anchor)
  tally.high = Math.max(tally.open, tally.price, clampTo(issue, tally.price * (1 + swing)))
  tally.low = Math.min(tally.open, tally.price, clampTo(issue, tally.price * (1 - swing)))
  const between = [openHour, nowHour].sort()
  tally.openHour = openHour
  tally.highHour = tally.high === tally.open ? openHour : (between[random.below(2)] ?? openHour)
  tally.lowHour = tally.low === tally.open ? openHour : (between[random.below(2)] ?? openHour)
  tally.value = tally.open * auctioned + Math.round((tally.open + tally.high + tally.low + tally.price) / 4) * since
  const buyShare = 0.35 + 0.3 * random.next()
  tally.buyVolume = Math.round(since * buyShare)
  tally.sellVolume = since - tally.buyVolume
  const size = 3 + 2_000_000 / tally.price
  tally.buyCount = Math.ceil(tally.buyVolume / size)
  tally.sellCount = Math.ceil(tally.sellVolume / size)
  setBid(tally, issue, tally.price)
}

/** Gives an untraded issue the part of the day that has passed before the simulator was started. */
const livePast = (issue: Issue, random: SeededRandom, passed: Passed) => {
  const volume = Math.max(1, Math.round(issue.previousVolume * passed.part * (0.5 + random.next())))
  issue.sameTimeVolume = Math.max(1, Math.round(volume * (0.7 + 0.7 * random.next())))
  issue.anchor = issue.basePrice * (1 + 0.05 * bell(random))
  issue.open = clampTo(issue, issue.basePrice * (1 + 0.015 * bell(random)))
  const opening = Math.max(1, Math.round(volume * 0.02))
  fill(issue, issue, random, passed, volume, opening)
  issue.reference = issue.standing.openingPrice = issue.standing.matchPrice = issue.open
  issue.standing.openingVolume = issue.standing.matchVolume = opening
  if (issue.nxt !== undefined) livePastAtNxt(issue.nxt, issue, random, passed)
}

const livePastAtNxt = (nxt: NxtFigures, issue: Issue, random: SeededRandom, passed: Passed) => {
  nxt.open = clampTo(issue, issue.open)
  nxt.anchor = issue.price
  fill(nxt, issue, random, passed, Math.max(1, Math.round(issue.volume * 0.43)), 0)
}

const drawBooks = (issue: Issue, random: SeededRandom) => {
  refreshBook(issue, issue, random)
  if (issue.nxt !== undefined) refreshBook(issue.nxt, issue, random)
}

/** An issue as the simulator finds it when it starts: before its day, or with what `passed` of it. */
export const startIssue = (entry: UniverseEntry, random: SeededRandom, passed: Passed | undefined): Issue => {
  const issue = untraded(entry, entry.basePrice ?? 0, entry.previousVolume)
  if (passed !== undefined && !issue.still && entry.previousVolume > 0) livePast(issue, random, passed)
  drawBooks(issue, random)
  return issue
}

/** Begins the next day: the close becomes the base, everything counted starts from zero; a halt goes on. */
export const beginDay = (issue: Issue, random: SeededRandom): void => {
  const { close, dynamicPercent, halted, haltReason, nxt, price, volume } = issue
  Object.assign(issue, untraded(issue.entry, close || price, volume, nxt?.volume), {
    dynamicPercent,
    halted,
    haltReason
  })
  drawBooks(issue, random)
}
