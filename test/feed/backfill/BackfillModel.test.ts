import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { marketInstant } from "../../../src/calendar/MarketTime.ts"
import type { Repair } from "../../../src/domain/Gap.ts"
import type { Hole } from "../../../src/feed/Backfill.ts"
import { type DayTrade, dayOf, listsOf, rowOf } from "./listedDay.ts"
import { stageOf } from "./stage.ts"

const openMs = marketInstant("20261124", "100000") ?? Number.NaN
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Steps = Schema.Array(
  Schema.Struct({ after_seconds: between(0, 3), volume: between(1, 9), isListed: Schema.Literals([true, true, false]) })
).check(Schema.isMinLength(2), Schema.isMaxLength(24))

/** A hole as a streamer meets it: what was heard last or first may be almost a second away in the exchange's time. */
const Cut = Schema.Struct({
  at: between(0, 23),
  length: between(0, 23),
  lagBefore_ms: between(0, 1_999),
  lagAfter_ms: between(-1_000, 999)
})

const holeOf = (day: ReadonlyArray<DayTrade>, cut: typeof Cut.Type) => {
  const first = 1 + (cut.at % (day.length - 1))
  const end = Math.min(day.length, first + cut.length)
  const before = day[first - 1] ?? assert.fail("a trade before")
  const last = day[end - 1] ?? before
  const fromMs = before.atMs + cut.lagBefore_ms
  const hole: Hole = {
    symbol: "005930",
    fromMs,
    toMs: Math.max(fromMs, last.atMs + cut.lagAfter_ms),
    cause: "disconnect"
  }
  const bounded: Hole = { ...hole, cumVolumeBefore: before.cumVolume, cumVolumeAfter: last.cumVolume }
  return { hole, bounded, unheard: day.slice(first, end) }
}

/** Of the trades of one second a page shows the newest; the others are out of any call's reach. */
const isReachable = (day: ReadonlyArray<DayTrade>, trade: DayTrade, pageSize: number) =>
  trade.isListed &&
  day.filter(({ atMs, cumVolume, isListed }) => isListed && atMs === trade.atMs && cumVolume > trade.cumVolume).length <
    pageSize

const volumeOf = (trades: ReadonlyArray<DayTrade>) => trades.reduce((sum, { volume }) => sum + volume, 0)

const fill = Effect.fnUntraced(function* (day: ReadonlyArray<DayTrade>, hole: Hole, pageSize: number) {
  yield* TestClock.setTime(hole.toMs)
  const stage = yield* stageOf(listsOf(day, pageSize).lists)
  yield* Effect.forkScoped(stage.backfill.run)
  yield* stage.backfill.hole(hole)
  yield* TestClock.adjust("2 minutes")
  assert.deepInclude(stage.statusOf(), { state: "idle", waiting: 0, failures: 0 })
  const { sightings, written } = stage
  return { payloads: sightings().map(({ payload }) => payload), gaps: written, status: stage.statusOf() }
})

describe("a hole between two trades that were heard", () => {
  it.effect.prop(
    "gets exactly the trades in it that the lists can show, once and in order, and the missing volume is told",
    [Steps, Cut, between(1, 8)],
    ([steps, cut, pageSize]) =>
      Effect.gen(function* () {
        const day = dayOf(openMs, steps)
        const { bounded, unheard } = holeOf(day, cut)
        const expected = unheard.filter((trade) => isReachable(day, trade, pageSize))
        const { gaps, payloads, status } = yield* fill(day, bounded, pageSize)
        assert.deepStrictEqual(payloads, expected.map(rowOf))
        const missingVolume = volumeOf(unheard) - volumeOf(expected)
        if (status.givenUp > 0) {
          // Nothing of it is listed, nor anything before it.
          assert.deepStrictEqual([gaps, expected], [[], []])
          return
        }
        const { repairedBy } = (gaps[0]?.payload ?? {}) as { readonly repairedBy?: Repair }
        assert.deepInclude(repairedBy, {
          trades: expected.length,
          volume: volumeOf(expected),
          complete: missingVolume === 0,
          missingVolume
        })
        assert.strictEqual(gaps.length, 1)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "without volumes to cut it by gets those of the seconds it touches, and never calls itself complete when it is not",
    [Steps, Cut, between(1, 8)],
    ([steps, cut, pageSize]) =>
      Effect.gen(function* () {
        const day = dayOf(openMs, steps)
        const { hole } = holeOf(day, cut)
        const fromMs = Math.floor(hole.fromMs / 1_000) * 1_000
        const touched = day.filter(({ atMs }) => atMs >= fromMs && atMs <= hole.toMs)
        const expected = touched.filter((trade) => isReachable(day, trade, pageSize))
        const { gaps, payloads } = yield* fill(day, hole, pageSize)
        assert.deepStrictEqual(payloads, expected.map(rowOf))
        const { repairedBy } = (gaps[0]?.payload ?? {}) as { readonly repairedBy?: Repair }
        if (repairedBy?.complete) assert.deepStrictEqual(touched, expected)
        const { missingVolume } = repairedBy ?? {}
        if (missingVolume !== undefined) assert.isAtLeast(missingVolume, volumeOf(touched) - volumeOf(expected))
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 300 } }
  )
})
