import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { Hole } from "../../src/feed/Backfill.ts"
import {
  KisCredentialsRejected,
  KisRefused,
  type KisError,
  KisReplyMalformed,
  KisUnreachable
} from "../../src/kis/KisError.ts"
import type { TradeLists } from "../../src/kis/TradeList.ts"
import { dayOf, listsOf, rowOf } from "./backfill/listedDay.ts"
import { stageOf } from "./backfill/stage.ts"

const at = (hour: string, date = "20261124") => marketInstant(date, hour) ?? Number.NaN
const beginMs = at("100000")
/** A trade a second for five minutes, of one share, so that its number is its cumulative volume. */
const day = dayOf(
  beginMs,
  Array.from({ length: 300 }, () => ({ after_seconds: 1, volume: 1 }))
)
const nth = (number: number) => day[number - 1] ?? assert.fail("a trade")
const hole: Hole = {
  symbol: "005930",
  fromMs: nth(100).atMs + 400,
  toMs: nth(200).atMs + 700,
  cause: "disconnect",
  cumVolumeBefore: 100,
  cumVolumeAfter: 200
}
const unreachable = new KisUnreachable({ operation: "inquire-time-itemconclusion", detail: "ECONNREFUSED" })
const refused = new KisRefused({ operation: "inquire-time-itemconclusion", status: 500, code: "X", text: "no" })

/** The lists of the day, whose every call can be made to fail. */
const failing = (error: (call: number) => KisError | undefined) => {
  const { asked, lists } = listsOf(day)
  let calls = 0
  const failingAt = <A>(answer: Effect.Effect<A, KisError>) =>
    Effect.suspend(() => {
      const why = error(++calls)
      return why === undefined ? answer : Effect.fail(why)
    })
  const tradeLists: TradeLists = {
    until: (symbol, hour) => failingAt(lists.until(symbol, hour)),
    latest: (symbol) => lists.latest(symbol)
  }
  return { tradeLists, asked, calls: () => calls }
}

const repairIn = (payload: object | undefined) =>
  (payload as { readonly repairedBy?: Readonly<Record<string, unknown>> } | undefined)?.repairedBy

describe("a backfill", () => {
  it.effect("hands on what a live stream has lost, and leaves the record of it to the shards", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { backfill, sightings, statusOf, written } = yield* stageOf(listsOf(day).lists)
      yield* Effect.forkScoped(backfill.run)
      const parts = [
        { cumVolumeBefore: 100, cumVolumeAfter: 102 },
        { cumVolumeBefore: 150, cumVolumeAfter: 151 }
      ]
      yield* backfill.hole({ ...hole, cause: "continuity", cumVolumeAfter: 151, parts })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        sightings().map(({ cumVolume }) => cumVolume),
        [101, 102, 151]
      )
      assert.deepInclude(statusOf(), { repaired: 1, complete: 1, trades: 3 })
      assert.deepStrictEqual(written, [])
    })
  )

  it.effect(
    "reads back from the hole's end page by page, hands on its trades, and leaves a record of what it found",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(hole.toMs)
        const { asked, lists } = listsOf(day)
        const { backfill, deliveries, sightings, statusOf, tally, written } = yield* stageOf(lists)
        yield* Effect.forkScoped(backfill.run)
        yield* backfill.hole(hole)
        yield* TestClock.adjust("1 minute")
        // From a second after the end, thirty trades a page; a page ends with the second with which the next begins.
        assert.deepStrictEqual(asked, ["100321", "100252", "100223", "100154"])
        assert.deepStrictEqual(
          sightings().map(({ cumVolume }) => cumVolume),
          Array.from({ length: 100 }, (_, index) => 101 + index)
        )
        assert.deepInclude(deliveries[0], { source: "backfill", account: "main" })
        assert.deepInclude(sightings()[0], {
          kind: "trade",
          symbol: "005930",
          exchangeAtMs: nth(101).atMs,
          flags: ["backfill"],
          payload: rowOf(nth(101))
        })
        assert.isAbove(sightings()[0]?.receivedAtMs ?? 0, hole.toMs)
        const [record] = written
        assert.deepInclude(record, { kind: "gap", symbol: "005930", source: "observer", account: "main" })
        assert.deepStrictEqual(record?.payload, {
          from: new Date(hole.fromMs).toISOString(),
          to: new Date(hole.toMs).toISOString(),
          cause: "disconnect",
          symbol: "005930",
          repairedBy: {
            source: "backfill",
            call: "inquire-time-itemconclusion",
            trades: 100,
            volume: 100,
            complete: true,
            missingVolume: 0
          }
        })
        assert.strictEqual(written.length, 1)
        assert.deepStrictEqual(tally(), {
          received: 100,
          stored: 100,
          rejected: 0,
          deduplicated: 0,
          inFlight: 0,
          remainder: 0
        })
        assert.deepInclude(statusOf(), { state: "idle", waiting: 0, repaired: 1, complete: 1, trades: 100, givenUp: 0 })
      })
  )

  it.effect("fills the holes of a cut in the order of importance", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const symbols = Array.from({ length: 41 }, (_, index) => `00${1_000 + index}`)
      const { lists } = listsOf(day)
      const { backfill, statusOf, written } = yield* stageOf(lists, { rank: (symbol) => -symbols.indexOf(symbol) })
      yield* Effect.forEach(symbols, (symbol) => backfill.hole({ ...hole, symbol }))
      assert.deepInclude(statusOf(), { waiting: 41 })
      yield* Effect.forkScoped(backfill.run)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(
        written.map(({ symbol }) => symbol),
        symbols.toReversed()
      )
    })
  )

  it.effect("lets the oldest hole go when too many wait, counts it, and never makes the stream wait", () =>
    Effect.gen(function* () {
      const { backfill, statusOf } = yield* stageOf(listsOf(day).lists)
      yield* Effect.forEach(Array.from({ length: 600 }), () => backfill.hole({ ...hole }))
      assert.deepInclude(statusOf(), { waiting: 512, dropped: 88 })
    })
  )

  it.effect("tries again, ever more slowly, when the broker is out of reach, without asking for every symbol", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { calls, tradeLists } = failing((call) => (call <= 2 ? unreachable : undefined))
      const { backfill, statusOf, written } = yield* stageOf(tradeLists)
      yield* Effect.forEach(Array.from({ length: 41 }), () => backfill.hole({ ...hole }))
      yield* Effect.forkScoped(backfill.run)
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(statusOf(), { state: "waiting", waiting: 41, lastFailure: unreachable.message })
      assert.strictEqual(calls(), 1)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(calls(), 2)
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(calls(), 2)
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(statusOf(), { state: "idle", repaired: 41, failures: 2, givenUp: 0 })
      assert.strictEqual(written.length, 41)
    })
  )

  it.effect("gives a hole up after eight tries, says why, and goes on to the next", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { calls, tradeLists } = failing((call) => (call <= 8 ? unreachable : undefined))
      const { backfill, statusOf, written } = yield* stageOf(tradeLists)
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole({ ...hole })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(calls(), 8)
      assert.deepInclude(statusOf(), { state: "idle", givenUp: 1, repaired: 0 })
      assert.deepStrictEqual(statusOf().reasons, { [unreachable.message]: 1 })
      assert.deepStrictEqual(written, [])
      yield* backfill.hole({ ...hole })
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(statusOf(), { repaired: 1 })
    })
  )

  it.effect("sets a reply aside that is not what it should be, counted, and tries again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const malformed = new KisReplyMalformed({ operation: "x", detail: "no output2", raw: "{}" })
      const { tradeLists } = failing((call) => (call === 1 ? malformed : undefined))
      const { backfill, statusOf, tally, written } = yield* stageOf(tradeLists)
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole(hole)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(written[0], {
        kind: "reject",
        source: "backfill",
        payload: { reason: "replyShape", raw: "{}" }
      })
      assert.deepStrictEqual(tally(), {
        received: 101,
        stored: 100,
        rejected: 1,
        deduplicated: 0,
        inFlight: 0,
        remainder: 0
      })
      assert.deepInclude(statusOf(), { repaired: 1, complete: 1 })
    })
  )

  it.effect("sets a reply aside whose trade has no readable time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const row = { stck_cntg_hour: "99", stck_prpr: "1" }
      const until: TradeLists["until"] = () =>
        Effect.succeed({ call: "inquire-time-itemconclusion", rows: [row], issue: undefined })
      const { backfill, sightings, written } = yield* stageOf({ ...listsOf(day).lists, until })
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole(hole)
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(written[0], { kind: "reject", payload: { reason: "replyShape", raw: JSON.stringify(row) } })
      assert.deepStrictEqual(sightings(), [])
    })
  )

  it.effect("looks at the newest trades where the broker refuses the list, and takes what cannot have been heard", () =>
    Effect.gen(function* () {
      // The newest trades reach back to the 271st.
      const late = { ...hole, fromMs: nth(280).atMs + 100, toMs: nth(290).atMs + 100 }
      yield* TestClock.setTime(nth(300).atMs)
      const { tradeLists } = failing(() => refused)
      const { backfill, sightings, statusOf, written } = yield* stageOf(tradeLists)
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole(late)
      yield* backfill.hole({ ...hole })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        sightings().map(({ exchangeAtMs }) => exchangeAtMs),
        day.slice(280, 289).map(({ atMs }) => atMs)
      )
      assert.deepInclude(repairIn(written[0]?.payload), { call: "inquire-ccnl", trades: 9, complete: false })
      assert.deepInclude(statusOf(), { repaired: 1, givenUp: 1 })
    })
  )

  it.effect("fails when the broker refuses the credentials, which is for its owner to judge", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { tradeLists } = failing(() => new KisCredentialsRejected({ account: "main", code: "EGW00103" }))
      const { backfill } = yield* stageOf(tradeLists)
      const running = yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole(hole)
      yield* TestClock.adjust("3 seconds")
      const exit = yield* Fiber.await(running)
      assert.isTrue(
        Exit.isFailure(exit) && exit.cause.reasons.some((r) => r._tag === "Fail" && r.error.code === "EGW00103")
      )
    })
  )

  it.effect("after a crash fills what is left, and nothing twice", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { lists } = listsOf(day)
      let isCrashing = true
      const until: TradeLists["until"] = (symbol, hour) =>
        symbol === "000002" && isCrashing ? Effect.die(new Error("a bug")) : lists.until(symbol, hour)
      const stage = yield* stageOf({ ...lists, until }, { rank: Number })
      for (const symbol of ["000001", "000003", "000002"]) yield* stage.backfill.hole({ ...hole, symbol })
      const first = yield* Effect.forkScoped(stage.backfill.run)
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(first)))
      isCrashing = false
      yield* Effect.forkScoped(stage.backfill.run)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(stage.written.map(({ symbol }) => symbol).sort(), ["000001", "000002", "000003"])
      assert.strictEqual(stage.sightings().length, 300)
      assert.deepInclude(stage.statusOf(), { repaired: 3, givenUp: 0, state: "idle" })
    })
  )

  it.effect("gives a hole up that crashes it three times", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const stage = yield* stageOf({ ...listsOf(day).lists, until: () => Effect.die(new Error("a bug")) })
      yield* stage.backfill.hole(hole)
      for (let run = 1; run <= 4; run++) {
        yield* Effect.forkScoped(stage.backfill.run)
        yield* TestClock.adjust("10 seconds")
      }
      assert.deepInclude(stage.statusOf(), { givenUp: 1, waiting: 0 })
      assert.deepStrictEqual(stage.statusOf().reasons, { "it crashed the backfill three times": 1 })
    })
  )

  it.effect("does not call a hole filled before its trades are stored", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const stage = yield* stageOf(listsOf(day).lists)
      stage.shard.isStoring = false
      yield* Effect.forkScoped(stage.backfill.run)
      yield* stage.backfill.hole(hole)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(stage.sightings().length, 100)
      assert.deepStrictEqual(stage.written, [])
      assert.deepInclude(stage.statusOf(), { givenUp: 1, repaired: 0 })
    })
  )

  it.effect(
    "tells of what it fills though a record of its source was lost for good before, and not of one lost now",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(hole.toMs)
        const { backfill, conservation, shard, statusOf, written } = yield* stageOf(listsOf(day).lists)
        yield* conservation.receive("backfill", 1, () => Effect.void)
        yield* Effect.forkScoped(backfill.run)
        yield* backfill.hole(hole)
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(statusOf(), { givenUp: 0, repaired: 1, complete: 1 })
        assert.strictEqual(written.length, 1)
        shard.isLosing = true
        yield* backfill.hole({ ...hole })
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(statusOf(), { givenUp: 1, repaired: 1 })
        assert.strictEqual(written.length, 1)
      })
  )

  it.effect("asks for nothing that a list of today cannot have", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at("084500"))
      const { asked, lists } = listsOf(day)
      const { backfill, statusOf } = yield* stageOf(lists, { mode: "calendar" })
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole({ ...hole, fromMs: at("084000"), toMs: at("084400") })
      yield* backfill.hole({ ...hole, fromMs: at("150000", "20261123"), toMs: at("150100", "20261123") })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, [])
      assert.strictEqual(statusOf().givenUp, 2)
    })
  )

  it.effect("does not take yesterday's list for today's", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { lists } = listsOf(day)
      const until: TradeLists["until"] = (symbol, hour) =>
        Effect.map(lists.until(symbol, hour), (page) => ({ ...page, issue: { acml_vol: "0" } }))
      const { cumVolumeAfter: _, cumVolumeBefore: __, ...unbounded } = hole
      const { backfill, sightings, written } = yield* stageOf({ ...lists, until })
      yield* Effect.forkScoped(backfill.run)
      yield* backfill.hole(unbounded)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sightings(), [])
      assert.deepInclude(repairIn(written[0]?.payload), { trades: 0, complete: true })
    })
  )

  it.effect("ends with a broker that ignores the hour, or lists without end", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hole.toMs)
      const { lists } = listsOf(day)
      let calls = 0
      const stuck: TradeLists["until"] = () => Effect.suspend(() => (calls++, lists.until("005930", "100500")))
      const first = yield* stageOf({ ...lists, until: stuck })
      yield* Effect.forkScoped(first.backfill.run)
      yield* first.backfill.hole(hole)
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(calls, 3)
      assert.deepInclude(first.statusOf(), { givenUp: 1, repaired: 0 })

      const single = listsOf(day, 1)
      const second = yield* stageOf(single.lists)
      yield* Effect.forkScoped(second.backfill.run)
      yield* second.backfill.hole({ ...hole })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(single.asked.length, 60)
      const [newest] = second.written.map(({ payload }) => repairIn(payload))
      assert.deepInclude(newest, { complete: false, missingVolume: 100 - second.sightings().length })
      assert.property(newest, "backTo")
    })
  )
})
