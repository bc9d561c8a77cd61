import { Clock, Effect } from "effect"
import { whyAbsurd } from "../calendar/absurdDays.ts"
import { awaitInstant, marketNow } from "../calendar/MarketClock.ts"
import { MarketSession } from "../calendar/MarketSession.ts"
import { marketDate, marketHour, marketInstant, marketMidnight } from "../calendar/MarketTime.ts"
import { calendarKnownTo, calendarTable, isTradingDay, type SaidDays } from "../calendar/TradingDays.ts"
import { Disk } from "../journal/Disk.ts"
import { Journal } from "../journal/Journal.ts"
import type { KisAccount } from "../kis/Account.ts"
import type { Holidays } from "../kis/Holidays.ts"
import type { KisCredentialsRejected, KisError } from "../kis/KisError.ts"
import { marker } from "./FeedRecord.ts"
import { type CalendarMemory, recall, remember, saidDays, withSaid } from "./holidayKeeper/CalendarMemory.ts"

export interface CalendarStatus {
  /** The last day, `YYYYMMDD`, up to which it is known when the exchange trades; absent when not even today is known. */
  readonly knownTo: string | undefined
  /** The market date on which the broker last answered. */
  readonly answeredOn: string | undefined
  /** Why the newest answer was not taken, or there was none. */
  readonly reason?: string
}

export interface HolidayKeeperOptions {
  readonly account: KisAccount
  readonly stateDir: string
  readonly holidays: Holidays
}

const day_ms = 86_400_000
/** After the broker's night, before anything opens (kis/sessions.md §3). */
const askedFrom = "063000"
/** One page of the broker's holds 24 days, so a day is asked about for three weeks before it comes, with one call a day. */
const daysAhead = 21
/** The broker asks for one inquiry a day; one that it did not answer may be repeated, so often and so much later. */
const tries_max = 3
const betweenTries_ms = 30 * 60_000
/** The end of what is known is said from so many days before it on. */
const warned_days = 14

/**
 * Keeps the calendar right: asks the broker once a market day, across restarts too, which of the coming days the
 * exchange opens, and teaches the session what it said. Where that differs from the table the record says so. What
 * contradicts everything is refused and the table stands.
 */
export const makeHolidayKeeper = Effect.fnUntraced(function* ({ account, holidays, stateDir }: HolidayKeeperOptions) {
  const journal = yield* Journal
  const session = yield* MarketSession
  const disk = yield* Disk
  const { env, place } = account.endpoints
  // The mock does not know the call (kis/rest.md §6.6), and a market that never closes has no use for it.
  const asks = env === "live" && session.mode === "calendar"
  let memory: CalendarMemory = yield* recall(stateDir, place)
  let reason: string | undefined
  yield* session.learn(saidDays(memory))

  const keep = (next: CalendarMemory) => {
    memory = next
    return Effect.provideService(remember(stateDir, place, next), Disk, disk)
  }

  const believe = Effect.fnUntraced(function* (said: SaidDays) {
    const now = yield* marketNow
    const before = yield* session.said
    const differing = [...said].filter(([date, isOpen]) => isTradingDay(date, before) !== isOpen)
    yield* keep(withSaid(memory, said, now))
    yield* session.learn(saidDays(memory))
    if (differing.length === 0) return
    const closed = differing.filter(([, isOpen]) => !isOpen).map(([date]) => date)
    const opened = differing.filter(([, isOpen]) => isOpen).map(([date]) => date)
    yield* Effect.logWarning("the broker's calendar differs from what was expected, and is followed", {
      closed,
      opened
    })
    yield* journal.append([marker(now, { event: "calendar", closed, opened }, account.alias)])
  })

  /** Asks, and judges the answer. The try is written down first, so that no loop of crashes can ask without end. */
  const ask = Effect.gen(function* () {
    const today = marketDate(yield* marketNow)
    const tries = (memory.asked?.on === today ? memory.asked.tries : 0) + 1
    const asked = { on: today, tries, triedAtMs: yield* Clock.currentTimeMillis }
    yield* keep({ ...memory, asked: { ...asked, answered: false } })
    const said = yield* holidays.openDays(today, marketDate(marketMidnight(today) + daysAhead * day_ms))
    reason = whyAbsurd(said, today)
    if (reason === undefined) yield* believe(said)
    else yield* Effect.logError("the broker's calendar is not believed, the table stands", { reason })
    yield* keep({ ...memory, asked: { ...asked, answered: true } })
  }).pipe(
    Effect.catchIf(
      (error): error is Exclude<KisError, KisCredentialsRejected> => error._tag !== "KisCredentialsRejected",
      (error) => {
        reason = error.message
        return Effect.logWarning("the broker's calendar could not be had", { reason })
      }
    )
  )

  const nextMorning = (nowMs: number) => {
    const today = marketInstant(marketDate(nowMs), askedFrom) ?? nowMs
    return nowMs < today ? today : today + day_ms
  }

  /** Returns when the broker is to be asked next: in the morning, or once more when it did not answer. */
  const awaitTurn = Effect.gen(function* () {
    const now = yield* marketNow
    const { asked } = memory
    if (!asks || marketHour(now) < askedFrom) return yield* awaitInstant(nextMorning(now))
    if (asked?.on !== marketDate(now)) return
    const morning = awaitInstant(nextMorning(now))
    if (asked.answered || asked.tries >= tries_max) return yield* morning
    const wait_ms = asked.triedAtMs + betweenTries_ms - (yield* Clock.currentTimeMillis)
    // A clock that was set back must not make us wait for the difference.
    yield* Effect.timeoutOption(morning, Math.max(0, Math.min(betweenTries_ms, wait_ms)))
  })

  const knownTo = (nowMs: number) => calendarKnownTo(marketDate(nowMs), saidDays(memory))

  const warnOfEnd = Effect.gen(function* () {
    if (session.mode === "always") return
    const now = yield* marketNow
    const known = knownTo(now)
    if (known === undefined) {
      const words =
        "the calendar does not know today: weekdays are taken for trading days, but for holidays fixed by law"
      yield* Effect.logError(words, {
        today: marketDate(now),
        table_from: calendarTable.from,
        table_to: calendarTable.to
      })
    } else if (known < marketDate(now + warned_days * day_ms)) {
      yield* Effect.logWarning("the calendar ends soon: install a newer version", { known_to: known })
    }
  })

  const turn = Effect.gen(function* () {
    yield* warnOfEnd
    yield* awaitTurn
    if (asks) yield* ask
  })

  return {
    /** The keeper's work, for a supervisor to run. Fails only with refused credentials. */
    run: Effect.forever(turn),
    status: Effect.map(marketNow, (now): CalendarStatus => ({
      knownTo: knownTo(now),
      answeredOn: memory.asked?.answered === true ? memory.asked.on : undefined,
      ...(reason === undefined ? {} : { reason })
    }))
  }
})
