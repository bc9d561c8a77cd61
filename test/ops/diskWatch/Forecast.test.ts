import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Forecast, paceOf } from "../../../src/ops/diskWatch/Forecast.ts"
import { hoursUntil } from "../../../src/ops/diskWatch/hoursUntil.ts"

const minute_ms = 60_000
const hour_ms = 3_600_000
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What is free every two minutes of some hours, and what befalls it beside the pace. */
const samplesOf = (bytes_hour: number, hours: number, beside: (index: number) => number = () => 0) =>
  Array.from({ length: hours * 30 }, (_, index) => ({
    open_ms: index * 2 * minute_ms,
    free_bytes: 1e12 - (bytes_hour * index) / 30 + beside(index)
  }))

const near = (is: number | undefined, wanted: number, share: number) =>
  assert.isAtMost(Math.abs((is ?? Number.NaN) / wanted - 1), share, `${is} for ${wanted}`)

describe("the pace at which a disk fills", () => {
  it.prop(
    "is found in a steady stream, whatever one deed of somebody else adds or takes away meanwhile",
    [between(2_000_000, 20_000_000_000), between(1, 6), between(0, 179), between(-400, 400)],
    ([bytes_hour, hours, at, step_gb]) => {
      // What is less than a step may be the stream's own.
      const step = Math.abs(step_gb) < 10 ? 0 : step_gb * 1e9
      const pace = paceOf(samplesOf(bytes_hour, hours, (index) => (index > at ? step : 0)))
      near(pace, bytes_hour, 0.01)
    }
  )

  it.prop(
    "is that of what stays when files are compressed as they are sealed",
    [between(40, 2_000), between(0, 29)],
    ([written_mb_hour, phase]) => {
      // A file of 128 MB is sealed, and an hour later takes a tenth of it.
      const bytes_hour = written_mb_hour * 1e6
      const freed = (index: number) => Math.max(0, Math.floor(((index - phase) / 30) * (bytes_hour / 128e6))) * 115.2e6
      near(paceOf(samplesOf(bytes_hour, 6, freed)), bytes_hour * 0.1, written_mb_hour < 300 ? 12 : 0.5)
    }
  )

  it.prop(
    "is none in what only wavers, or grows",
    [Schema.Array(between(-100_000, 100_000)), between(0, 1_000_000_000)],
    ([noise, growth]) => {
      const wavering = samplesOf(0, 3, (index) => noise[index % Math.max(1, noise.length)] ?? 0)
      assert.isUndefined(paceOf(wavering))
      assert.isUndefined(paceOf(samplesOf(-growth, 3)))
    }
  )

  it("is not spoken of before half an hour has been seen", () => {
    assert.isUndefined(paceOf(samplesOf(1e9, 1).slice(0, 14)))
    assert.isDefined(paceOf(samplesOf(1e9, 1)))
  })
})

describe("a forecast", () => {
  /** Looks every two seconds. */
  const watch = (
    forecast: Forecast,
    fromMs: number,
    minutes: number,
    free: (atMs: number) => number,
    isOpen = true
  ) => {
    for (let atMs = fromMs; atMs < fromMs + minutes * minute_ms; atMs += 2_000) forecast.see(atMs, free(atMs), isOpen)
  }
  const shrinking = (atMs: number) => 1e12 - (atMs / hour_ms) * 1e9

  it("says how much open time is left for what is free", () => {
    const forecast = new Forecast()
    watch(forecast, 0, 90, shrinking)
    near(forecast.open_ms_left(10e9), 10 * hour_ms, 0.01)
    assert.strictEqual(forecast.open_ms_left(-1), 0)
  })

  it("takes nothing for a pace that happened while the market was closed, or while the machine slept", () => {
    const forecast = new Forecast()
    watch(forecast, 0, 60, shrinking)
    watch(forecast, hour_ms, 600, (atMs) => shrinking(atMs) + ((atMs - hour_ms) / hour_ms) * 50e9, false)
    watch(forecast, 11 * hour_ms, 60, (atMs) => shrinking(atMs) + 500e9)
    watch(forecast, 20 * hour_ms, 60, (atMs) => shrinking(atMs) + 500e9)
    near(forecast.open_ms_left(10e9), 10 * hour_ms, 0.05)
  })

  it("keeps no more than the last hours: a pace that has changed is the new one by then", () => {
    const forecast = new Forecast()
    watch(forecast, 0, 240, shrinking)
    watch(forecast, 4 * hour_ms, 400, (atMs) => 2e12 - (atMs / hour_ms) * 5e9)
    near(forecast.open_ms_left(10e9), 2 * hour_ms, 0.05)
  })

  it("goes by the hours in which the market will be open", () => {
    const day_ms = 24 * hour_ms
    /** Open from nine to fifteen, every day. */
    const openSpans = (fromMs: number, toMs: number) =>
      Array.from({ length: 400 }, (_, day) => ({
        fromMs: Math.max(fromMs, day * day_ms + 9 * hour_ms),
        toMs: Math.min(toMs, day * day_ms + 15 * hour_ms)
      })).filter((span) => span.fromMs < span.toMs)
    assert.strictEqual(hoursUntil(2 * hour_ms, 10 * hour_ms, openSpans), 2)
    assert.strictEqual(hoursUntil(8 * hour_ms, 10 * hour_ms, openSpans), 26)
    assert.strictEqual(hoursUntil(hour_ms, 20 * hour_ms, openSpans), 14)
    assert.isUndefined(hoursUntil(5_000 * hour_ms, 0, openSpans))
  })
})
