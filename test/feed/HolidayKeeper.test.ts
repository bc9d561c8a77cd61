import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketDate, marketInstant, marketMidnight } from "../../src/calendar/MarketTime.ts"
import { isTradingDay, type SaidDays } from "../../src/calendar/TradingDays.ts"
import { makeHolidayKeeper } from "../../src/feed/HolidayKeeper.ts"
import { makeHolidays, type Holidays } from "../../src/kis/Holidays.ts"
import { KisCredentialsRejected, type KisError, KisRefused, KisUnreachable } from "../../src/kis/KisError.ts"
import { exchange, type KisCall } from "../../src/kis/KisHttp.ts"
import { makeToken } from "../../src/kis/Token.ts"
import { Exchange } from "../../src/simulator/Exchange.ts"
import { tempFolder } from "../journal/fixtures.ts"
import { accountAt } from "../support/accounts.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { looked, passUntil } from "../support/virtualTime.ts"
import { recordingJournal } from "./recordingJournal.ts"

const at = (date: string, hour: string) => TestClock.setTime(marketInstant(date, hour) ?? Number.NaN)
const nowhere = { restUrl: "http://127.0.0.1:1", wsUrl: "ws://127.0.0.1:1" }
const account = accountAt(nowhere)
const page = (from: string, isOpen: (date: string) => boolean): SaidDays =>
  new Map(
    Array.from({ length: 24 }, (_, day) => marketDate(marketMidnight(from) + day * 86_400_000)).map((date) => [
      date,
      isOpen(date)
    ])
  )
const unreachable = new KisUnreachable({ operation: "chk-holiday", detail: "ECONNRESET" })

/** A broker that answers in turn, the last answer for ever; and the days it was asked from. */
const broker = (...answers: ReadonlyArray<((from: string) => SaidDays) | KisError>) => {
  const asked: Array<string> = []
  const holidays: Holidays = {
    openDays: (from) =>
      Effect.suspend(() => {
        const answer = answers[Math.min(asked.length, answers.length - 1)]
        asked.push(from)
        if (answer === undefined) return Effect.never
        return typeof answer === "function" ? Effect.succeed(answer(from)) : Effect.fail(answer)
      })
  }
  return { asked, holidays }
}
const agreeing = (from: string) => page(from, (date) => isTradingDay(date))
const closing =
  (...closed: ReadonlyArray<string>) =>
  (from: string) =>
    page(from, (date) => isTradingDay(date) && !closed.includes(date))

/** A life of a keeper on a disk that stays; gives what `use` gives, and the markers it left in the record. */
const live = <A, E, R>(
  disk: MemoryDisk,
  holidays: Holidays,
  use: (keeper: Effect.Success<ReturnType<typeof makeHolidayKeeper>>) => Effect.Effect<A, E, R>,
  { env = "live", mode = "calendar" }: { readonly env?: "live" | "mock"; readonly mode?: "calendar" | "always" } = {}
) => {
  const { journal, records } = recordingJournal()
  return Effect.gen(function* () {
    const keeper = yield* makeHolidayKeeper({
      account: { ...account, endpoints: { ...account.endpoints, env } },
      stateDir: `${disk.root}/state`,
      holidays
    })
    const found = yield* use(keeper)
    return { found, markers: records.map(({ payload }) => payload) }
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(Layer.fresh(MarketSession.layer(mode)), journal, disk.layer)))
}

const freshDisk = Effect.map(tempFolder, (folder) => new MemoryDisk(folder))

/** Lets what can run do so, and time pass to an instant in steps that leave the disk its turns. */
const passTo = Effect.fnUntraced(function* (date: string, hour: string) {
  yield* Effect.yieldNow.pipe(Effect.repeat({ times: 100 }))
  yield* at(date, hour)
  yield* Effect.yieldNow.pipe(Effect.repeat({ times: 100 }))
})

describe("the keeper of the calendar", () => {
  it.effect("asks once each market day, in the morning, and not again after a restart", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      const { asked, holidays } = broker(agreeing)
      yield* at("20261123", "020000")
      const days = Effect.fnUntraced(function* (keeper: { readonly run: Effect.Effect<void, KisError> }) {
        yield* Effect.forkScoped(keeper.run)
        yield* passTo("20261123", "062959")
        assert.deepStrictEqual(asked, [])
        yield* passTo("20261123", "063000")
        assert.deepStrictEqual(asked, ["20261123"])
        yield* passTo("20261124", "062959")
        assert.deepStrictEqual(asked, ["20261123"])
        yield* passTo("20261124", "070000")
      })
      yield* live(disk, holidays, days)
      assert.deepStrictEqual(asked, ["20261123", "20261124"])
      for (const hour of ["080000", "120000", "235959"]) {
        yield* live(disk, holidays, ({ run }) => Effect.andThen(Effect.forkScoped(run), passTo("20261124", hour)))
      }
      assert.deepStrictEqual(asked, ["20261123", "20261124"])
      yield* live(disk, holidays, ({ run }) => Effect.andThen(Effect.forkScoped(run), passTo("20261125", "100000")))
      assert.deepStrictEqual(asked, ["20261123", "20261124", "20261125"])
    })
  )

  it.effect("closes a day that the broker has closed, says so in the record, and knows it after a restart", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      yield* at("20261123", "070000")
      const { holidays } = broker(closing("20261130"))
      const { markers } = yield* live(
        disk,
        holidays,
        Effect.fnUntraced(function* ({ run, status }) {
          yield* Effect.forkScoped(run)
          yield* passTo("20261123", "070100")
          const session = yield* MarketSession
          assert.strictEqual(session.phaseAt(marketInstant("20261130", "100000") ?? 0), "closed")
          assert.deepStrictEqual(yield* status, { knownTo: "20271231", answeredOn: "20261123" })
          yield* passTo("20261124", "070000")
        })
      )
      // The day after it is no news any more.
      assert.deepStrictEqual(markers, [{ event: "calendar", closed: ["20261130"], opened: [] }])
      yield* live(disk, broker().holidays, () =>
        Effect.map(MarketSession, ({ phaseAt }) =>
          assert.strictEqual(phaseAt(marketInstant("20261130", "100000") ?? 0), "closed")
        )
      )
      assert.match(
        disk.files().get("state/calendar-live.json")?.toString() ?? "",
        /"20261130":\{"open":false,"saidAt":"2026-11-22T22:00:00.000Z"\}/
      )
    })
  )

  it.effect("lets the table stand when the broker contradicts everything, and asks no more that day", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      yield* at("20261123", "070000")
      const { asked, holidays } = broker((from) => page(from, () => false))
      const { markers } = yield* live(
        disk,
        holidays,
        Effect.fnUntraced(function* ({ run, status }) {
          yield* Effect.forkScoped(run)
          yield* passTo("20261123", "100000")
          assert.strictEqual(yield* (yield* MarketSession).phase, "continuous")
          assert.include((yield* status).reason, "weekdays in a row")
        })
      )
      assert.deepStrictEqual([asked, markers], [["20261123"], []])
    })
  )

  it.effect("tries at most three times a day, half an hour apart, when there is no answer, crashes included", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      yield* at("20261123", "063000")
      const refused = new KisRefused({ operation: "chk-holiday", status: 500, code: "X", text: "closed" })
      const { asked, holidays } = broker(unreachable, refused, unreachable, agreeing)
      const run = (hour: string) =>
        live(disk, holidays, (keeper) => Effect.andThen(Effect.forkScoped(keeper.run), passTo("20261123", hour)))
      yield* run("065959")
      assert.strictEqual(asked.length, 1)
      yield* run("072959")
      assert.strictEqual(asked.length, 2)
      yield* run("235900")
      yield* run("235930")
      assert.strictEqual(asked.length, 3)
      yield* live(disk, holidays, (keeper) =>
        Effect.andThen(Effect.forkScoped(keeper.run), passTo("20261124", "063000"))
      )
      assert.deepStrictEqual(asked.slice(3), ["20261124"])
    })
  )

  it.effect("never asks the mock, nor for a market that does not close", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      const { asked, holidays } = broker(agreeing)
      yield* at("20261123", "070000")
      for (const how of [{ env: "mock" }, { mode: "always" }] as const) {
        yield* live(
          disk,
          holidays,
          ({ run }) => Effect.andThen(Effect.forkScoped(run), passTo("20261124", "100000")),
          how
        )
      }
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("fails only with refused credentials", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      yield* at("20261123", "070000")
      const { holidays } = broker(new KisCredentialsRejected({ account: "main", code: "EGW00103" }))
      const { found } = yield* live(disk, holidays, ({ run }) => Effect.exit(run))
      assert.isTrue(Exit.isFailure(found) && Cause.hasFails(found.cause))
    })
  )

  it.effect("goes on without a memory when its file is spoilt or cannot be written", () =>
    Effect.gen(function* () {
      const disk = yield* freshDisk
      disk.put("state/calendar-live.json", Buffer.from("{"))
      disk.fault = ({ operation, path }) =>
        operation === "write" && path.includes("calendar") ? { _tag: "Refused", code: "ENOSPC", done: 0 } : undefined
      yield* at("20261123", "070000")
      const { asked, holidays } = broker(closing("20261124"))
      yield* live(
        disk,
        holidays,
        Effect.fnUntraced(function* ({ run }) {
          yield* Effect.forkScoped(run)
          yield* passTo("20261124", "060000")
          assert.isFalse(yield* (yield* MarketSession).isOpen)
          yield* passTo("20261124", "100000")
          assert.isFalse(yield* (yield* MarketSession).isOpen)
        })
      )
      assert.deepStrictEqual(asked, ["20261123", "20261124"])
    })
  )

  it.effect("agrees with the exchange in the box, over its own protocol", () =>
    Effect.gen(function* () {
      const urls = yield* Exchange
      const real = accountAt(urls)
      const client = yield* HttpClient.HttpClient
      const call: KisCall = (request) => Effect.provideService(exchange(real, request), HttpClient.HttpClient, client)
      const token = yield* makeToken(real, yield* tempFolder, call)
      const { markers } = yield* live(
        yield* freshDisk,
        makeHolidays(real, call, token),
        Effect.fnUntraced(function* ({ run, status }) {
          yield* Effect.forkScoped(run)
          const answered = looked(status)
          yield* passUntil(() => answered().answeredOn !== undefined)
          assert.strictEqual((yield* (yield* MarketSession).said).get("20261225"), false)
        })
      )
      assert.deepStrictEqual(markers, [])
    }).pipe(
      Effect.provide([Exchange.layer({}), NodeHttpClient.layerUndici]),
      // The exchange begins in the time it finds.
      (test) => Effect.andThen(at("20261218", "070000"), test)
    )
  )
})
