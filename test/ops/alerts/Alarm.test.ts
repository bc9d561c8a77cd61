import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Alarm, flapping_ms, next, quiet, type Telling, type Verdict } from "../../../src/ops/alerts/Alarm.ts"

const holds = { fire_ms: 60_000, recover_ms: 30_000 }
const hour_ms = 3_600_000

interface Look {
  readonly after_ms: number
  readonly verdict: Verdict
}

interface Said {
  readonly atMs: number
  readonly telling: Telling
}

const run = (looks: ReadonlyArray<Look>, from: Alarm = quiet) => {
  let alarm = from
  let nowMs = 1_000_000_000
  const said: Array<Said> = []
  for (const { after_ms, verdict } of looks) {
    nowMs += after_ms
    const [after, telling] = next(alarm, verdict, nowMs, holds)
    alarm = after
    if (telling !== undefined) said.push({ atMs: nowMs, telling })
  }
  return { alarm, said, nowMs }
}

const every = (after_ms: number, count: number, verdict: Verdict): ReadonlyArray<Look> =>
  Array.from({ length: count }, () => ({ after_ms, verdict }))

const tellings = (looks: ReadonlyArray<Look>) => run(looks).said.map(({ telling }) => telling)

/** What is to be said, found by looking back over the whole history instead of by a state. */
const model = (looks: ReadonlyArray<Look>): ReadonlyArray<Said> => {
  const said: Array<Said> = []
  const history: Array<{ readonly atMs: number; readonly verdict: Verdict }> = []
  let nowMs = 1_000_000_000
  /** Since when the end of the history has held without a break. */
  const streak = (holdsFor: (verdict: Verdict) => boolean, notBeforeMs: number): number | undefined => {
    let sinceMs: number | undefined
    for (const { atMs, verdict } of history.toReversed()) {
      if (!holdsFor(verdict) || atMs < notBeforeMs) break
      sinceMs = atMs
    }
    return sinceMs
  }
  for (const { after_ms, verdict } of looks) {
    nowMs += after_ms
    history.push({ atMs: nowMs, verdict })
    const firings = said.filter(({ telling }) => telling === "fired")
    const last = said.findLast(({ telling }) => telling !== "reminder")
    if (last?.telling !== "fired") {
      const sinceMs = streak((each) => each === "amiss", last === undefined ? 0 : last.atMs + 1)
      if (sinceMs !== undefined && nowMs - sinceMs >= holds.fire_ms) said.push({ atMs: nowMs, telling: "fired" })
      continue
    }
    const told_ms = nowMs - last.atMs
    const reminded = said.filter(({ atMs, telling }) => telling === "reminder" && atMs > last.atMs)
    const newest_ms = (reminded.at(-1)?.atMs ?? last.atMs) - last.atMs
    const dues = [hour_ms, 6 * hour_ms, ...Array.from({ length: 400 }, (_, day) => (day + 1) * 24 * hour_ms)]
    if (verdict !== "well") {
      if (dues.some((due) => due <= told_ms && due > newest_ms)) said.push({ atMs: nowMs, telling: "reminder" })
      continue
    }
    const recent = firings.filter(({ atMs }) => nowMs - atMs < hour_ms)
    const hold_ms = recent.length >= 3 ? flapping_ms : holds.recover_ms
    const sinceMs = streak((each) => each === "well", last.atMs + 1)
    if (sinceMs !== undefined && nowMs - sinceMs >= hold_ms) said.push({ atMs: nowMs, telling: "recovered" })
  }
  return said
}

const { Array: List, Int, Literals, Struct, Union } = Schema
const between = (minimum: number, maximum: number) => Int.check(Schema.isBetween({ minimum, maximum }))
/** Looks that follow each other; a long time without any is rare, and so is one in which nothing can be judged. */
const pace = Union([between(1, 40_000), between(1, 40_000), between(1, 40_000), between(1, 30 * hour_ms)])
const verdict = Union([Literals(["amiss", "well"]), Literals(["amiss", "well", "unsettled"])])
/** Verdicts as they come: runs of the same. */
const Runs = List(Struct({ after_ms: pace, verdict, times: between(1, 8) })).check(Schema.isMaxLength(40))
const Shaken = List(Struct({ after_ms: between(-hour_ms, hour_ms), verdict }))

describe("an alarm", () => {
  it.prop(
    "says what a model says that looks back over all that was",
    [Runs],
    ([runs]) => {
      const given = runs.flatMap(({ times, ...each }) => Array.from({ length: times }, () => each))
      assert.deepStrictEqual(run(given).said, model(given))
    },
    { arbitrary: { runs: 1_000, size: 40 } }
  )

  it.prop(
    "is told once and ended once, in turn, whatever comes, also with a clock that is set back",
    [Shaken],
    ([given]) => {
      const turns = tellings(given).filter((telling) => telling !== "reminder")
      turns.forEach((telling, at) => assert.strictEqual(telling, at % 2 === 0 ? "fired" : "recovered"))
    }
  )

  it("fires after a clock was set back as soon as it has been amiss for as long as it must be", () => {
    const amiss = every(2_000, 10, "amiss")
    const setBack = { after_ms: -hour_ms, verdict: "amiss" } as const
    assert.deepStrictEqual(tellings([...amiss, setBack, ...every(2_000, 30, "amiss")]), ["fired"])
  })

  it("that is not amiss for long enough is never told", () => {
    assert.deepStrictEqual(tellings([...every(2_000, 30, "amiss"), ...every(2_000, 1, "well")]), [])
  })

  it("that comes back before it was told over is the same alarm", () => {
    const blink = [...every(2_000, 10, "well"), ...every(2_000, 10, "amiss")]
    assert.deepStrictEqual(tellings([...every(2_000, 31, "amiss"), ...blink, ...blink]), ["fired"])
  })

  it("is brought to mind after an hour, after six, then daily", () => {
    const { said } = run(every(60_000, 3 * 24 * 60 + 10, "amiss"))
    const firedMs = said[0]?.atMs ?? 0
    assert.deepStrictEqual(
      said.slice(1).map(({ atMs }) => (atMs - firedMs) / hour_ms),
      [1, 6, 24, 48, 72]
    )
  })

  it("that comes and goes is over only when it has been gone for a quarter of an hour", () => {
    const flap = [...every(2_000, 31, "amiss"), ...every(2_000, 17, "well")]
    const flapped = [...flap, ...flap, ...flap]
    assert.deepStrictEqual(tellings(flapped), ["fired", "recovered", "fired", "recovered", "fired"])
    const gone = every(2_000, flapping_ms / 2_000, "well")
    assert.deepStrictEqual(tellings([...flapped, ...gone]).slice(5), ["recovered"])
  })

  it("neither begins nor ends while it cannot be judged", () => {
    assert.deepStrictEqual(tellings(every(2_000, 100, "unsettled")), [])
    const told = every(2_000, 31, "amiss")
    assert.deepStrictEqual(tellings([...told, ...every(2_000, 100, "unsettled")]), ["fired"])
  })
})
