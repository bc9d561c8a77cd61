import { isTradingDay, tradingDayBefore } from "../../calendar/TradingDays.ts"
import { marketDate, marketHour, marketInstant } from "../../calendar/MarketTime.ts"
import { expectedPhase, timetableOf } from "../../calendar/Phases.ts"
import type { UniverseEntry } from "../../domain/UniverseFile.ts"
import { makeActivity } from "./Activity.ts"
import { makeAgenda } from "./Agenda.ts"
import { makeAuctions } from "./Auctions.ts"
import { type Breaker, makeBreaker } from "./Breaker.ts"
import { beginDay, type Passed, startIssue } from "./dayStart.ts"
import { floorControl } from "./floorControl.ts"
import { makeHistory } from "./History.ts"
import { makeIndices } from "./Indices.ts"
import { makeInterruptions } from "./Interruptions.ts"
import { ladderOf } from "./Ladder.ts"
import type { MarketControl } from "./MarketControl.ts"
import type { MarketRules } from "./MarketRules.ts"
import type { MarketListener, MarketView } from "./MarketView.ts"
import { phaseOperations } from "./phaseOperations.ts"
import { makePit } from "./Pit.ts"
import { makeRounds } from "./Rounds.ts"
import { seededRandom } from "./SeededRandom.ts"
import { makeSessions } from "./Sessions.ts"

export interface FloorOptions extends MarketRules {
  readonly seed: number
  /** Of the whole market and both venues, on average over the regular session. */
  readonly tradesPerSecond: number
  /** `always`: continuous trading at any hour of any day; `calendar`: by the dated tables. */
  readonly hours: "always" | "calendar"
  readonly startMs: number
}

/** The trading floor: pure apart from its own state, the same for the same universe, options, steps and commands. */
export interface TradingFloor {
  readonly view: MarketView
  readonly control: Omit<MarketControl, "setClock">
  /** Makes what happens between the last step and `atMs` (UTC milliseconds), `forMs` later; `part` of the trades. */
  step(atMs: number, forMs: number, part?: number): void
  /** Begins anew at an instant, by the dated tables. */
  reopen(atMs: number): void
}

const second_ms = 1_000
/** A circuit breaker watches the market's own index. */
const watched = { "0001": "KOSPI", "1001": "KOSDAQ" } as const

/** Before nine a market that never closes has been open since midnight. */
const passedOfAlways = (atMs: number, below30: number): Passed => {
  const now = marketHour(atMs)
  const opened = now >= "090030" ? "0900" : "0000"
  return { openHour: `${opened}${String(below30).padStart(2, "0")}`, nowHour: now, part: 0.4 }
}

/** Nothing before the opening auction is over. */
const passedOfDay = (date: string, atMs: number, below30: number): Passed | undefined => {
  const hours = new Map(timetableOf(date).map(([from, phase]) => [phase, from]))
  const open = hours.get("continuous") ?? ""
  const close = hours.get("afterClose") ?? ""
  const openMs = marketInstant(date, open) ?? Number.NaN
  const closeMs = marketInstant(date, close) ?? Number.NaN
  if (!(atMs > openMs + 30 * second_ms)) return undefined
  const part = Math.max(0.05, Math.min(1, (atMs - openMs) / (closeMs - openMs)))
  const openHour = `${open.slice(0, 4)}${String(below30).padStart(2, "0")}`
  return { openHour, nowHour: atMs > closeMs ? close : marketHour(atMs), part }
}

export const makeTradingFloor = (
  universe: ReadonlyArray<UniverseEntry>,
  options: FloorOptions,
  listener: MarketListener
): TradingFloor => {
  const random = seededRandom(options.seed, 1)
  const history = makeHistory()
  let { hours } = options
  let date = ""
  let burst = { factor: 1, untilMs: 0 }
  let shownSecond = 0
  let activity = makeActivity([])

  const dateAt = (atMs: number) => {
    const today = marketDate(atMs)
    return hours === "always" || isTradingDay(today) ? today : tradingDayBefore(today)
  }
  const passedAt = (atMs: number) =>
    hours === "always" ? passedOfAlways(atMs, random.below(30)) : passedOfDay(dateAt(atMs), atMs, random.below(30))

  const issues = universe.map((entry) => startIssue(entry, random, passedAt(options.startMs)))
  const byCode = new Map(issues.map((issue) => [issue.entry.code, issue]))
  const indices = makeIndices(issues)
  const agenda = makeAgenda()
  const pit = makePit(random, agenda, listener, {
    onPrint: (issue, trade, change) => {
      // The evening of old is in nobody's day but its own.
      if (trade.operationCode !== "40") history.record(issue, trade)
      if (change !== 0) indices.moved(issue, change)
    }
  })
  const auctions = makeAuctions(pit)
  const interruptions = makeInterruptions(pit, auctions)
  const sessions = makeSessions(
    pit,
    issues,
    auctions,
    interruptions,
    (): Breaker => breaker,
    (segment) => {
      if (!options.announcesPhases) return
      for (const operation of phaseOperations[segment] ?? []) pit.announce(operation)
    }
  )
  const breaker = makeBreaker(pit, issues, auctions, interruptions, sessions.closingMs, sessions.conclude)
  const rounds = makeRounds(pit, () => activity, interruptions, options, sessions.conclude)

  /** The issues are as they begin or were found; everything else is set by them. */
  const begin = (atMs: number) => {
    date = dateAt(atMs)
    pit.setNow(atMs)
    agenda.clear()
    auctions.clear()
    interruptions.beginDay()
    breaker.beginDay()
    rounds.beginDay()
    sessions.begin(date, hours, atMs)
    for (const issue of indices.members("2001")) issue.dynamicPercent = 3
  }

  const open = (atMs: number) => {
    activity = makeActivity(issues)
    const passed = passedAt(atMs)
    history.reset(issues, dateAt(atMs), passed && { openHour: passed.openHour, hour: passed.nowHour })
    begin(atMs)
    indices.reset()
    if (passed !== undefined) indices.endStep()
  }
  open(options.startMs)

  const turnDay = (atMs: number) => {
    if (dateAt(atMs) === date) return
    history.turnDay(issues, date)
    for (const issue of issues) beginDay(issue, random)
    begin(atMs)
    indices.beginDay()
  }

  /** Everything that has an hour of its own, in the order of the hours. */
  const keepAppointments = (atMs: number) => {
    for (;;) {
      const segmentMs = sessions.nextMs()
      const dueMs = Math.min(segmentMs, agenda.nextMs())
      if (dueMs > atMs) return
      pit.setNow(dueMs)
      if (segmentMs <= dueMs) sessions.enterNext()
      else agenda.runNext()
    }
  }

  const stirAuctions = (forMs: number, tradesPerSecond: number) => {
    const { gathering } = auctions
    if (gathering.size > 100) {
      for (let left = Math.ceil((tradesPerSecond * 0.5 * forMs) / second_ms); left > 0; left--) {
        const issue = activity.draw(random)
        if (issue !== undefined && gathering.has(issue)) auctions.stir(issue)
      }
      return
    }
    for (const issue of gathering) if (random.next() < (0.7 * forMs) / second_ms) auctions.stir(issue)
  }

  const showIndices = () => {
    indices.endStep()
    const second = Math.floor(pit.nowMs() / second_ms)
    if (second === shownSecond) return
    shownSecond = second
    for (const code of indices.codes) {
      const level = indices.level(code)
      if (level === undefined) continue
      listener.onIndex(level)
      const board = code === "0001" || code === "1001" ? watched[code] : undefined
      if (board !== undefined) breaker.watch(board, (level.level / level.previous - 1) * 100)
    }
  }

  const view: MarketView = {
    nowMs: pit.nowMs,
    date: () => date,
    phase: () => {
      const statuses = [breaker.status("KOSPI"), breaker.status("KOSDAQ")]
      if (statuses.every((status) => status === "halted")) return "halt"
      if (statuses.every((status) => status === "ended")) return "closed"
      return hours === "always" ? "continuous" : expectedPhase(pit.nowMs())
    },
    issues,
    issue: (code) => byCode.get(code),
    index: indices.level,
    indices: () => indices.codes.flatMap((code) => indices.level(code) ?? []),
    book: (issue, venue = "KRX") =>
      venue === "KRX" || issue.nxt === undefined
        ? ladderOf(issue, issue, issue.standing)
        : ladderOf(issue, issue.nxt, issue.nxt),
    expected: auctions.expected,
    lastMatch: ({ standing: { matchPrice, matchVolume } }) =>
      matchPrice === 0 ? undefined : { price: matchPrice, volume: matchVolume, hourClass: "0" },
    opening: ({ standing: { openingPrice, openingVolume } }) =>
      openingPrice === 0 ? undefined : { price: openingPrice, volume: openingVolume, hourClass: "0" },
    reference: ({ reference }) => reference,
    breadth: indices.breadth,
    interruption: interruptions.of,
    interruptions: interruptions.today,
    trades: (issue, venue = "KRX") => history.trades(issue, venue),
    minutes: (issue, venue = "KRX") => history.minutes(issue, venue),
    days: (issue, count, venue = "KRX") => history.days(issue, count, venue),
    tradesMade: pit.tradesMade
  }

  return {
    view,
    control: floorControl({
      pit,
      auctions,
      interruptions,
      breaker,
      sessions,
      issue: view.issue,
      setBurst: (next) => void (burst = next)
    }),
    step: (atMs, forMs, part = 1) => {
      turnDay(atMs)
      keepAppointments(atMs)
      pit.setNow(atMs)
      const rate = options.tradesPerSecond * part * (atMs <= burst.untilMs ? burst.factor : 1)
      rounds.run(forMs, rate, sessions.open())
      if (sessions.isOffBookTime()) rounds.runOffBook(forMs, rate)
      if (sessions.segment() === "closingPrice") rounds.runClosingPrice(forMs, rate)
      if (auctions.gathering.size > 0) stirAuctions(forMs, rate)
      if (sessions.indicesCount()) showIndices()
      pit.showBooks()
      listener.onStepEnd()
    },
    reopen: (atMs) => {
      hours = "calendar"
      for (const issue of issues) Object.assign(issue, startIssue(issue.entry, random, passedAt(atMs)))
      open(atMs)
    }
  }
}
