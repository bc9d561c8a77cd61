import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { hourFolder, marketDate, marketHour, marketInstant } from "../../src/calendar/MarketTime.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { expectedPhase } from "../../src/calendar/Phases.ts"
import { countingSleeps } from "../support/wakeUps.ts"

const instant = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN
const at = (date: string, hour: string) => TestClock.setTime(instant(date, hour))
const calendar = Effect.provide(MarketSession.layer("calendar"))
const always = Effect.provide(MarketSession.layer("always"))

/** When, by the machine's clock, an effect returned; `undefined` while it has not. */
const noting = Effect.fnUntraced(function* (effect: Effect.Effect<void>) {
  let atMs: number | undefined
  const noted = Effect.andThen(
    effect,
    Effect.map(Clock.currentTimeMillis, (now) => void (atMs = now))
  )
  const fiber = yield* Effect.forkChild(noted)
  return { fiber, atMs: () => atMs }
})

describe("the market's session by the calendar", () => {
  it.effect("is waited for over a weekend, and found open in the very millisecond", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261120", "200003")
      const open = yield* noting(session.awaitOpen)
      const warm = yield* noting(session.awaitWarm(10))
      yield* at("20261123", "080000")
      yield* Fiber.join(open.fiber)
      assert.strictEqual(open.atMs(), instant("20261123", "080000"))
      assert.strictEqual(warm.atMs(), instant("20261123", "075000"))
      assert.isTrue(yield* session.isOpen)
    }).pipe(calendar)
  )

  it.effect("is not waited for while it is open, nor when it opens within the time that is to be warm", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261123", "195959")
      yield* session.awaitOpen
      yield* session.awaitWarm(10)
      assert.strictEqual(yield* session.phase, "afterMarket")
      yield* at("20261124", "075001")
      yield* session.awaitWarm(10)
      assert.isFalse(yield* session.isOpen)
    }).pipe(calendar)
  )

  it.effect("costs fewer than twenty wake-ups in an idle night", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261123", "200000")
      const { provide, sleeps } = yield* countingSleeps
      const open = yield* noting(provide(session.awaitOpen))
      yield* at("20261124", "080000")
      yield* Fiber.join(open.fiber)
      assert.isBelow(sleeps(), 20)
    }).pipe(calendar)
  )

  it.effect("does not open on a day that the broker has closed, though it was learnt while all waited", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261123", "200000")
      const open = yield* noting(session.awaitOpen)
      yield* at("20261124", "063000")
      yield* session.learn(new Map([["20261124", false]]))
      yield* at("20261124", "120000")
      assert.strictEqual(yield* session.phase, "closed")
      assert.isUndefined(open.atMs())
      yield* at("20261125", "080000")
      yield* Fiber.join(open.fiber)
      assert.strictEqual(open.atMs(), instant("20261125", "080000"))
    }).pipe(calendar)
  )

  it.effect("opens in the moment in which a day is learnt to be open", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261009", "100000")
      const open = yield* noting(session.awaitOpen)
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(open.atMs())
      yield* session.learn(new Map([["20261009", true]]))
      yield* Fiber.join(open.fiber)
      assert.strictEqual(open.atMs(), instant("20261009", "100100"))
    }).pipe(calendar)
  )

  it.effect("is looked at within an hour when the machine's clock was set forward past the opening", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      // The clock says the night before while the sleep is made, and the morning after it.
      const real = yield* Clock.Clock
      let ahead_ms = 0
      const set: Clock.Clock = Object.assign(Object.create(real), {
        currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + ahead_ms)
      })
      yield* at("20261123", "203000")
      const open = yield* noting(Effect.provideService(session.awaitOpen, Clock.Clock, set))
      yield* TestClock.adjust("30 minutes")
      ahead_ms = 12 * 3_600_000
      yield* TestClock.adjust("30 minutes")
      assert.isDefined(open.atMs())
    }).pipe(calendar)
  )

  it.effect("tells every change of a day, each when it comes", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20261119", "000000")
      const seen: Array<string> = []
      const watching = Effect.gen(function* () {
        let since = yield* Clock.currentTimeMillis
        while (true) {
          yield* session.awaitChange(since)
          since = yield* Clock.currentTimeMillis
          seen.push(`${marketHour(since)} ${yield* session.phase}`)
        }
      })
      yield* Effect.forkChild(watching)
      yield* at("20261120", "000000")
      assert.deepStrictEqual(seen, [
        "090000 preOpen",
        "093000 openingAuction",
        "100000 continuous",
        "162000 closingAuction",
        "163000 afterClose",
        "170000 afterMarket",
        "200000 closed"
      ])
    }).pipe(calendar)
  )

  const Instants = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 366 * 86_400 })))
  it.effect.prop("is the table's at any instants in any order, whatever was asked before", [Instants], ([seconds]) =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      for (const second of seconds) {
        const atMs = instant("20260101", "000000") + second * 1_000
        assert.strictEqual(session.phaseAt(atMs), expectedPhase(atMs))
      }
      assert.strictEqual(session.phaseAt(Number.NaN), session.phaseAt(Number.NaN))
    }).pipe(calendar)
  )
})

describe.each([60, 1_000])("a day rehearsed at %i times its speed", (speed) => {
  const wallMs = Date.UTC(2026, 10, 24)
  const marketMs = instant("20261119", "080000")
  const rehearsal = Effect.provideService(MarketClock, rehearsed({ wallMs, marketMs, speed }))

  it.effect("opens, warms and closes when the machine's clock has come to it, and its hours have their folders", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* TestClock.setTime(wallMs)
      assert.strictEqual(yield* session.phase, "closed")
      const warm = yield* noting(session.awaitWarm(10))
      const open = yield* noting(session.awaitOpen)
      const folders = new Set<string>()
      const { at: marketAt } = yield* MarketClock
      for (let passed = 0; passed <= (13 * 3_600_000) / speed; passed += 60) {
        yield* TestClock.setTime(wallMs + passed)
        folders.add(hourFolder(marketAt(wallMs + passed)))
      }
      yield* Fiber.join(open.fiber)
      assert.strictEqual(warm.atMs(), wallMs + (50 * 60_000) / speed)
      assert.strictEqual(open.atMs(), wallMs + 3_600_000 / speed)
      assert.strictEqual(yield* session.phase, "closed")
      assert.deepStrictEqual(
        [...folders],
        Array.from({ length: 14 }, (_, hour) => `2026/11/19/${String(hour + 8).padStart(2, "0")}`)
      )
    }).pipe(calendar, rehearsal)
  )

  it.effect("goes on into the next market day", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* TestClock.setTime(wallMs + (13 * 3_600_000) / speed)
      const open = yield* noting(session.awaitOpen)
      yield* TestClock.setTime(wallMs + (24 * 3_600_000) / speed)
      yield* Fiber.join(open.fiber)
      const { at: marketAt } = yield* MarketClock
      assert.strictEqual(marketDate(marketAt(open.atMs() ?? 0)), "20261120")
      assert.strictEqual(open.atMs(), wallMs + (24 * 3_600_000) / speed)
    }).pipe(calendar, rehearsal)
  )
})

describe("the market's session of a market that never closes", () => {
  it.effect("is open on New Year's night, whatever was learnt", () =>
    Effect.gen(function* () {
      const session = yield* MarketSession
      yield* at("20270101", "030000")
      yield* session.learn(new Map([["20270101", false]]))
      yield* session.awaitOpen
      yield* session.awaitWarm(10)
      assert.strictEqual(yield* session.phase, "continuous")
      assert.isTrue(yield* session.isOpen)
      assert.isUndefined(session.nextChange(instant("20270101", "030000")))
      assert.deepStrictEqual(session.openSpans(1, 5), [{ fromMs: 1, toMs: 5 }])
      assert.deepStrictEqual(session.openSpans(5, 5), [])
    }).pipe(always)
  )
})
