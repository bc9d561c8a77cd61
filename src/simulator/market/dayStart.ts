import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import { type Issue, refreshBook, untraded } from "./Issue.ts"
import type { SeededRandom } from "./SeededRandom.ts"

const bell = (random: SeededRandom) => random.next() + random.next() + random.next() - 1.5

const clampTo = (issue: Issue, price: number) => Math.min(issue.upper, Math.max(issue.lower, issue.grid.floor(price)))

/** Gives an untraded issue the part of the day that has passed before the simulator was started. */
const livePast = (issue: Issue, random: SeededRandom, openHour: string, nowHour: string) => {
  issue.volume = Math.max(1, Math.round(issue.previousVolume * (0.2 + 0.4 * random.next())))
  issue.sameTimeVolume = Math.max(1, Math.round(issue.volume * (0.7 + 0.7 * random.next())))
  issue.anchor = issue.basePrice * (1 + 0.05 * bell(random))
  issue.open = clampTo(issue, issue.basePrice * (1 + 0.015 * bell(random)))
  const opening = Math.max(1, Math.round(issue.volume * 0.02))
  const since = issue.volume - opening
  issue.price = since === 0 ? issue.open : clampTo(issue, issue.anchor)
  const swing = since === 0 ? 0 : 0.02 * random.next()
  issue.high = Math.max(issue.open, issue.price, clampTo(issue, issue.price * (1 + swing)))
  issue.low = Math.min(issue.open, issue.price, clampTo(issue, issue.price * (1 - swing)))
  const between = [openHour, nowHour].sort()
  issue.openHour = openHour
  issue.highHour = issue.high === issue.open ? openHour : (between[random.below(2)] ?? openHour)
  issue.lowHour = issue.low === issue.open ? openHour : (between[random.below(2)] ?? openHour)
  issue.value = issue.open * opening + Math.round((issue.open + issue.high + issue.low + issue.price) / 4) * since
  const buyShare = 0.35 + 0.3 * random.next()
  issue.buyVolume = Math.round(since * buyShare)
  issue.sellVolume = since - issue.buyVolume
  const size = 3 + 2_000_000 / issue.price
  issue.buyCount = Math.ceil(issue.buyVolume / size)
  issue.sellCount = Math.ceil(issue.sellVolume / size)
  issue.bid = issue.price
  issue.ask = issue.price >= issue.upper ? 0 : issue.grid.up(issue.price)
}

/** An issue as the simulator finds it when it starts, in the middle of a day that opened at `openHour`. */
export const startIssue = (entry: UniverseEntry, random: SeededRandom, openHour: string, nowHour: string): Issue => {
  const issue = untraded(entry, entry.basePrice ?? 0, entry.previousVolume)
  if (!issue.still && entry.previousVolume > 0) livePast(issue, random, openHour, nowHour)
  refreshBook(issue, random)
  return issue
}

/** Begins the next day: the last price becomes the base, everything counted starts from zero. */
export const beginDay = (issue: Issue, random: SeededRandom): void => {
  Object.assign(issue, untraded(issue.entry, issue.price, issue.volume))
  refreshBook(issue, random)
}
