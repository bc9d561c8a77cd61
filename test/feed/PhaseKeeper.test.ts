import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { MarketClock, rehearsed } from "../../src/calendar/MarketClock.ts"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketHour, marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Sighting } from "../../src/domain/Sighting.ts"
import { tradeSighting } from "../../src/feed/KisTrade.ts"
import { makePhaseKeeper } from "../../src/feed/PhaseKeeper.ts"
import { tradeValues } from "./frames.ts"
import { recordingJournal } from "./recordingJournal.ts"

const instant = (date: string, hour: string) => marketInstant(date, hour) ?? Number.NaN
const at = (date: string, hour: string) => TestClock.setTime(instant(date, hour))

const live = <A, E, R>(
  use: (keeper: Effect.Success<ReturnType<typeof makePhaseKeeper>>) => Effect.Effect<A, E, R>,
  { mode = "calendar", streamed = 0 }: { readonly mode?: "calendar" | "always"; readonly streamed?: number } = {}
) => {
  const { journal, records } = recordingJournal()
  return Effect.gen(function* () {
    yield* use(yield* makePhaseKeeper({ streamed }))
    return records
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(Layer.fresh(MarketSession.layer(mode)), journal)))
}

/** A trade of each of five symbols at an hour of 24 November 2026, with some columns changed. */
const trades = (hour: string, changes: Readonly<Record<number, string>>, date = "20261124"): ReadonlyArray<Sighting> =>
  Array.from({ length: 5 }, (_, n) =>
    tradeSighting(tradeValues({ 0: `00593${n}`, 1: hour, 33: date, ...changes }), instant(date, hour), 0)
  )
const delivery = (sightings: ReadonlyArray<Sighting>) => ({ source: "kis-ws" as const, account: "main", sightings })
const payloads = (records: ReadonlyArray<{ readonly payload: object }>) => records.map(({ payload }) => payload)

describe("the keeper of phases", () => {
  it.effect("marks each change of phase by the table in the moment it comes", () =>
    Effect.gen(function* () {
      yield* at("20261119", "050000")
      const records = yield* live(({ run }) => Effect.andThen(Effect.forkScoped(run), at("20261119", "230000")))
      assert.deepStrictEqual(
        records.map(({ payload, receivedAtMs }) => [receivedAtMs, payload]),
        [
          ["090000", "preOpen"],
          ["093000", "openingAuction"],
          ["100000", "continuous"],
          ["162000", "closingAuction"],
          ["163000", "afterClose"],
          ["170000", "afterMarket"],
          ["200000", "closed"]
        ].map(([hour, phase]) => [instant("20261119", hour ?? ""), { event: "phase", phase }])
      )
    })
  )

  it.effect("marks late, and each for itself, what changed while it was down", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      const records = yield* live(({ run }) =>
        Effect.gen(function* () {
          const first = yield* Effect.forkScoped(run)
          yield* TestClock.adjust("20 seconds")
          yield* Fiber.interrupt(first)
          yield* TestClock.adjust("10 seconds")
          yield* Effect.forkScoped(run)
          yield* Effect.yieldNow.pipe(Effect.repeat({ times: 50 }))
        })
      )
      assert.deepStrictEqual(
        records.map(({ payload, receivedAtMs }) => [marketHour(receivedAtMs), payload]),
        [
          ["080000", "preOpen"],
          ["083000", "openingAuction"],
          ["090000", "continuous"],
          ["160500", "closingAuction"],
          ["160500", "afterClose"],
          ["160500", "afterMarket"]
        ].map(([hour = "", phase]) => [hour, { event: "phase", phase }])
      )
      // A day rehearsed at ×1000: thirty seconds are eight hours.
    }).pipe(
      Effect.provideService(
        MarketClock,
        rehearsed({ wallMs: 0, marketMs: instant("20261124", "074500"), speed: 1_000 })
      )
    )
  )

  it.effect("tells once that trades go on where the table has the closing auction", () =>
    Effect.gen(function* () {
      yield* at("20261124", "152000")
      const records = yield* live(({ observe, status }) =>
        Effect.gen(function* () {
          for (const hour of ["152000", "152040", "152120", "152200"]) {
            yield* observe(delivery(trades(hour, { 43: "0", 46: "2" })))
          }
          const { difference, expected, nextChangeMs } = yield* status
          assert.strictEqual(expected, "closingAuction")
          assert.strictEqual(nextChangeMs, instant("20261124", "153000"))
          assert.deepInclude(difference, { expected: "closingAuction", observed: "continuous" })
        })
      )
      assert.deepStrictEqual(payloads(records), [
        {
          event: "phase",
          expected: "closingAuction",
          observed: "continuous",
          symbols: 5,
          of: 5,
          since: "2026-11-24T06:20:00.000Z"
        }
      ])
    })
  )

  for (const [what, changes, observed] of [
    ["the after-market by its market class", { 43: "0", 46: "3" }, "afterMarket"],
    ["an older record's operation class", { 34: "31", 43: "0", 46: "" }, "afterClose"],
    ["the single-price evening by its hour class", { 43: "D", 46: "" }, "afterMarket"],
    ["the opening auction by its hour class", { 43: "B", 46: "2" }, "openingAuction"]
  ] as const) {
    it.effect(`concludes ${what}`, () =>
      Effect.gen(function* () {
        const records = yield* live(({ observe }) =>
          Effect.forEach(["110000", "110040", "110120"], (hour) => observe(delivery(trades(hour, changes))))
        )
        assert.deepInclude(records[0]?.payload, { expected: "continuous", observed })
      })
    )
  }

  it.effect("has no quarrel with Nextrade's hours, with replies, nor in a market that never closes", () =>
    Effect.gen(function* () {
      const wrong = ["110000", "110040", "110120"].map((hour) => trades(hour, { 46: "3" }))
      const quiet = [
        live(({ observe }) =>
          Effect.forEach(wrong, (each) => observe(delivery(each.map((one) => ({ ...one, venue: "NXT" as const })))))
        ),
        live(({ observe }) => Effect.forEach(wrong, (each) => observe({ ...delivery(each), source: "kis-rest" }))),
        live(
          ({ announced, observe }) =>
            Effect.andThen(
              Effect.forEach(wrong, (each) => observe(delivery(each))),
              announced("halt", instant("20261124", "110000"))
            ),
          { mode: "always" }
        )
      ]
      for (const each of quiet) assert.deepStrictEqual(yield* each, [])
    })
  )

  it.effect(
    "tells at once when the exchange announces what the table has not, until it announces what the table has",
    () =>
      Effect.gen(function* () {
        const records = yield* live(({ announced }) =>
          Effect.gen(function* () {
            yield* announced("continuous", instant("20261124", "090003"))
            yield* announced(undefined, instant("20261124", "094016"))
            yield* announced("halt", instant("20261124", "103000"))
            yield* announced("halt", instant("20261124", "103000") + 5)
            yield* announced("continuous", instant("20261124", "105000"))
            yield* announced("halt", instant("20261124", "105500"))
          })
        )
        assert.deepStrictEqual(payloads(records), [
          { event: "phase", expected: "continuous", observed: "halt", since: "2026-11-24T01:30:00.000Z" },
          { event: "phase", expected: "continuous", observed: "halt", since: "2026-11-24T01:55:00.000Z" }
        ])
      })
  )

  it.effect("finds a weekday suspicious on which no trade has come by five past the open", () =>
    Effect.gen(function* () {
      yield* at("20261124", "085000")
      const silent = yield* live(({ run }) => Effect.andThen(Effect.forkScoped(run), at("20261124", "100000")), {
        streamed: 5
      })
      assert.deepStrictEqual(payloads(silent), [
        { event: "phase", phase: "continuous" },
        { event: "phase", expected: "continuous", observed: "none", since: "2026-11-24T00:00:00.000Z" }
      ])
      yield* at("20261125", "085000")
      const trading = yield* live(
        ({ observe, run }) =>
          Effect.gen(function* () {
            yield* Effect.forkScoped(run)
            yield* at("20261125", "090030")
            yield* observe(delivery(trades("090030", { 46: "2" }, "20261125")))
            yield* at("20261125", "100000")
          }),
        { streamed: 5 }
      )
      assert.deepStrictEqual(payloads(trading), [{ event: "phase", phase: "continuous" }])
    })
  )
})
