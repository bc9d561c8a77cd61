import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import { expectedPhase } from "../../src/calendar/Phases.ts"
import { type PhaseDifference, PhaseWatch } from "../../src/calendar/PhaseWatch.ts"
import { type Phase, phases } from "../../src/domain/Phase.ts"

const at = (hour: string) => marketInstant("20261124", hour) ?? Number.NaN
const watchOf = () => new PhaseWatch(expectedPhase)

/** Every `every_ms`, one chunk in which each of so many symbols says a phase; what the watch told. */
const say = (
  watch: PhaseWatch,
  observed: Phase,
  span: { readonly from: string; readonly for_ms: number; readonly symbols: number; readonly lag_ms?: number }
): ReadonlyArray<PhaseDifference> => {
  const told: Array<PhaseDifference> = []
  const { for_ms, from, lag_ms = 0, symbols } = span
  for (let passed = 0; passed <= for_ms; passed += 1_000) {
    const happenedMs = at(from) + passed
    const votes = Array.from({ length: symbols }, (_, n) => ({
      symbol: `${n}`,
      observed,
      happenedMs,
      heardMs: happenedMs + lag_ms
    }))
    const difference = watch.observe(votes)
    if (difference !== undefined) told.push(difference)
  }
  return told
}

describe("phases on the wire", () => {
  it("that most symbols name against the table for longer than a minute are told, once", () => {
    const watch = watchOf()
    const told = say(watch, "continuous", { from: "152000", for_ms: 300_000, symbols: 20 })
    assert.deepStrictEqual(told, [
      { expected: "closingAuction", observed: "continuous", sinceMs: at("152000"), symbols: 20, of: 20 }
    ])
    assert.deepStrictEqual(watch.current, told[0])
    // In the next phase it is another difference.
    assert.strictEqual(say(watch, "continuous", { from: "153000", for_ms: 300_000, symbols: 20 }).length, 1)
    assert.strictEqual(say(watch, "afterMarket", { from: "160000", for_ms: 1_000, symbols: 20 }).length, 0)
    assert.isUndefined(watch.current)
  })

  it("are no difference while an auction ends at random, nor when one symbol's is prolonged", () => {
    const watch = watchOf()
    assert.deepStrictEqual(say(watch, "openingAuction", { from: "090000", for_ms: 30_000, symbols: 20 }), [])
    assert.deepStrictEqual(say(watch, "continuous", { from: "090031", for_ms: 60_000, symbols: 20 }), [])
    assert.deepStrictEqual(say(watch, "continuous", { from: "153000", for_ms: 30_000, symbols: 20 }), [])
    assert.deepStrictEqual(say(watch, "continuous", { from: "153210", for_ms: 0, symbols: 1 }), [])
    assert.isUndefined(watch.current)
  })

  it("are compared by the exchange's clock, however late they come", () => {
    const late = { from: "151000", for_ms: 599_000, symbols: 20, lag_ms: 600_000 }
    assert.deepStrictEqual(say(watchOf(), "continuous", late), [])
  })

  it("need a clear majority, of more than two symbols where more are seen", () => {
    const mixed = watchOf()
    for (let passed = 0; passed <= 300_000; passed += 1_000) {
      const votes = Array.from({ length: 10 }, (_, n) => ({
        symbol: `${n}`,
        observed: n < 6 ? ("preOpen" as const) : ("continuous" as const),
        happenedMs: at("100000") + passed,
        heardMs: at("100000") + passed
      }))
      assert.isUndefined(mixed.observe(votes))
    }
    const few = watchOf()
    say(few, "continuous", { from: "100000", for_ms: 0, symbols: 5 })
    assert.deepStrictEqual(say(few, "preOpen", { from: "100500", for_ms: 300_000, symbols: 2 }), [])
    assert.strictEqual(say(watchOf(), "preOpen", { from: "100500", for_ms: 300_000, symbols: 1 }).length, 1)
  })

  it("before the open and after the close may bear the codes of their neighbours", () => {
    for (const observed of ["preOpen", "afterClose"] as const) {
      assert.deepStrictEqual(say(watchOf(), observed, { from: "083000", for_ms: 600_000, symbols: 5 }), [])
    }
    assert.deepStrictEqual(say(watchOf(), "closingAuction", { from: "153000", for_ms: 600_000, symbols: 5 }), [])
  })

  it("show trading on a day that the calendar has closed", () => {
    const holiday = new PhaseWatch((atMs) => expectedPhase(atMs, new Map([["20261124", false]])))
    const [told] = say(holiday, "continuous", { from: "100000", for_ms: 120_000, symbols: 5 })
    assert.deepInclude(told, { expected: "closed", observed: "continuous" })
  })

  const Step = Schema.Struct({
    symbol: Schema.Literals(["a", "b", "c", "d"]),
    passed_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 90_000 })),
    observed: Schema.Literals(phases)
  })
  it.prop(
    "tell nothing unless a difference has been heard twice, more than a minute apart",
    [Schema.Array(Step)],
    ([steps]) => {
      const watch = watchOf()
      let now = at("080000")
      const differing: Array<{ readonly kind: string; readonly atMs: number }> = []
      for (const { observed, passed_ms, symbol } of steps) {
        now += passed_ms
        if (expectedPhase(now) !== observed) differing.push({ kind: `${expectedPhase(now)} ${observed}`, atMs: now })
        const told = watch.observe([{ symbol, observed, happenedMs: now, heardMs: now }])
        if (told === undefined) continue
        const heard = differing.filter(({ kind }) => kind === `${told.expected} ${told.observed}`)
        assert.isAbove((heard.at(-1)?.atMs ?? 0) - told.sinceMs, 60_000)
        assert.isTrue(heard.some(({ atMs }) => atMs === told.sinceMs))
        assert.isAtLeast((told.symbols ?? 0) / (told.of ?? 1), 2 / 3)
      }
    }
  )
})

describe("what the exchange announces for the whole market", () => {
  it("is no difference within a minute of the table", () => {
    for (const hour of ["085930", "090000", "090030", "091500"]) {
      assert.isUndefined(watchOf().announce("continuous", at(hour)), hour)
    }
  })

  it("is told at once where the table has nothing like it, and once for all symbols", () => {
    const watch = watchOf()
    const told = watch.announce("continuous", at("081000"))
    assert.deepInclude(told, { expected: "preOpen", observed: "continuous" })
    const halt = watch.announce("halt", at("103000"))
    assert.deepStrictEqual(halt, { expected: "continuous", observed: "halt", sinceMs: at("103000") })
    assert.isUndefined(watch.announce("halt", at("103000") + 300))
    assert.deepStrictEqual(watch.current, halt)
    assert.isDefined(watch.announce("halt", at("140000")))
    watch.begin()
    assert.isUndefined(watch.current)
  })

  it("ends with the announcement of a phase that the table has", () => {
    const watch = watchOf()
    assert.isDefined(watch.announce("halt", at("103000")))
    assert.isUndefined(watch.announce("continuous", at("105000")))
    assert.isUndefined(watch.current)
    assert.isDefined(watch.announce("halt", at("105100")))
  })
})
