import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { SweepTarget } from "../../src/domain/Assignment.ts"
import { type SweepBatch, SweepSchedule } from "../../src/feed/SweepSchedule.ts"
import { aloneInterval_ms, inFlight_ms_max, missesBeforeNamed, soonest_ms } from "../../src/feed/sweep/SweepEntry.ts"
import type { SweepRound } from "../../src/feed/sweep/SweepRounds.ts"

const planned_ms = 1_000
const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)
const targetsOf = (symbols: ReadonlyArray<string>, target_ms = planned_ms): ReadonlyArray<SweepTarget> =>
  symbols.map((symbol) => ({ symbol, target_ms, planned_ms: target_ms }))
const scheduleOf = (symbols: ReadonlyArray<string>) => {
  const schedule = new SweepSchedule(0)
  schedule.assign(targetsOf(symbols), 0)
  return schedule
}
const [a, b, c, d] = ["00000A", "00000B", "00000C", "00000D"]
/** An account that can ask for so many at once. */
const upTo = (most: number) => ({ most, knowsIndices: true })
const mock = { most: 1, knowsIndices: false }
const callOf = (batch: SweepBatch | undefined) => batch?.call ?? 0
const symbolsOf = (batch: SweepBatch | undefined) => batch?.symbols ?? []

describe("a sweep's schedule", () => {
  it("asks for every symbol, as many at a time as fit into a call, and for nobody twice at once", () => {
    const schedule = scheduleOf(codes(65))
    const batches = [30, 30, 30, 30].map((most) => symbolsOf(schedule.take(0, upTo(most))))
    assert.deepStrictEqual(
      batches.map((batch) => batch.length),
      [30, 30, 5, 0]
    )
    assert.deepStrictEqual(batches.flat(), codes(65))
    assert.strictEqual(schedule.nextAtMs(), inFlight_ms_max)
  })

  it("asks the most overdue first: by when they were asked and how often they are wanted", () => {
    const schedule = new SweepSchedule(0)
    schedule.assign([...targetsOf([a, b], 10_000), ...targetsOf([c], 3_000), ...targetsOf([d], 30_000)], 0)
    schedule.take(0, upTo(4))
    for (const [at, symbol] of [b, a, d, c].entries()) schedule.seen(symbol, at)
    assert.deepStrictEqual(symbolsOf(schedule.take(1_000, upTo(1))), [c])
    schedule.seen(c, 1_000)
    assert.deepStrictEqual(symbolsOf(schedule.take(2_000, upTo(3))), [c, a, b])
    assert.deepStrictEqual(symbolsOf(schedule.take(2_000, upTo(3))), [d])
  })

  it("spends every call, but asks nobody again within 200 ms of the answer", () => {
    const schedule = scheduleOf([a])
    schedule.take(0, upTo(30))
    schedule.seen(a, 100)
    assert.isUndefined(schedule.take(99 + soonest_ms, upTo(30)))
    assert.strictEqual(schedule.nextAtMs(), 100 + soonest_ms)
    assert.deepStrictEqual(symbolsOf(schedule.take(100 + soonest_ms, upTo(30))), [a])
  })

  it("keeps classes in the ratio of their targets, however few or many calls there are", () => {
    for (const calls_ms of [5, 20, 80, 320]) {
      const schedule = new SweepSchedule(0)
      schedule.assign([...targetsOf(codes(300), 9_000), ...targetsOf([a, b, c], 3_000)], 0)
      const visits = new Map<string, Array<number>>()
      for (let call = 0; call < 3_000; call++) {
        for (const symbol of symbolsOf(schedule.take(call * calls_ms, upTo(2)))) {
          visits.set(symbol, [...(visits.get(symbol) ?? []), call])
          schedule.seen(symbol, call * calls_ms)
        }
      }
      const [watched = [], other = []] = [visits.get(a), visits.get("001000")]
      assert.approximately(watched.length / other.length, 3, 0.25, `one call in ${calls_ms} ms`)
      // And evenly: never much more than its part of a pass apart.
      const apart = watched.map((call, index) => call - (watched[index - 1] ?? 0))
      assert.isAtMost(Math.max(...apart), (1.3 * 3_000) / watched.length)
    }
  })

  it("asks a missing symbol again at once with others, then by itself, before everything that is merely due", () => {
    const schedule = scheduleOf([a, b, c])
    const first = schedule.take(0, upTo(3))
    assert.deepStrictEqual(symbolsOf(first), [a, b, c])
    schedule.seen(a, 5)
    schedule.seen(c, 5)
    assert.isFalse(schedule.missed(b, callOf(first), 5))
    const again = schedule.take(1_000, upTo(2))
    assert.deepStrictEqual([symbolsOf(again), again?.alone], [[b, a], false])
    assert.isFalse(schedule.missed(b, callOf(again), 1_000))
    assert.deepStrictEqual(schedule.next(1_000), { count: 2, isAlone: true })
    // A call for many that has waited for its place since before leaves it to one of its own.
    assert.deepStrictEqual(symbolsOf(schedule.take(1_000, { ...upTo(2), together: true })), [c])
    const alone = schedule.take(1_000, upTo(2))
    assert.deepStrictEqual([symbolsOf(alone), alone?.alone], [[b], true])
  })

  it("asks a missing symbol before those that are wanted more often", () => {
    const schedule = new SweepSchedule(0)
    schedule.assign([...targetsOf([a], 1_000), ...targetsOf([b], 60_000)], 0)
    schedule.take(0, upTo(2))
    for (const symbol of [a, b]) schedule.seen(symbol, 0)
    const both = schedule.take(1_000, upTo(2))
    assert.deepStrictEqual(symbolsOf(both), [a, b])
    schedule.seen(a, 1_000)
    schedule.missed(b, callOf(both), 1_000)
    assert.deepStrictEqual(symbolsOf(schedule.take(2_000, upTo(1))), [b])
  })

  it("asks who only answers alone by itself for ten minutes, and no more often than every ten seconds", () => {
    const schedule = scheduleOf([a])
    for (const at of [0, 1, 2]) {
      const batch = schedule.take(at, upTo(30))
      if (at < 2) schedule.missed(a, callOf(batch), at)
    }
    schedule.seen(a, 2)
    assert.isUndefined(schedule.take(1 + aloneInterval_ms, upTo(30)))
    assert.isTrue(schedule.take(2 + aloneInterval_ms, upTo(30))?.alone)
    schedule.seen(a, 600_001)
    assert.isFalse(schedule.take(600_001 + aloneInterval_ms, upTo(30))?.alone)
  })

  it("does not ask for an index alone, for there is no such call, nor through an account that does not know it", () => {
    const schedule = scheduleOf(["0001", a])
    assert.deepStrictEqual(symbolsOf(schedule.take(0, mock)), [a])
    assert.isUndefined(schedule.take(0, mock))
    schedule.seen(a, 0)
    for (const at of [0, 1, 2, 10_002]) {
      const batch = schedule.take(at, upTo(1))
      assert.deepInclude(batch, { symbols: ["0001"], alone: false })
      assert.strictEqual(schedule.missed("0001", callOf(batch), at), at === 2)
    }
  })

  it("names a symbol once, after the third time it was left out, and asks it ever more rarely", () => {
    const schedule = scheduleOf([a])
    const named: Array<boolean> = []
    const apart: Array<number> = []
    let now = 0
    for (let asked = 0; asked < 12; asked++) {
      const batch = schedule.take(now, upTo(1))
      assert.deepStrictEqual(symbolsOf(batch), [a])
      named.push(schedule.missed(a, callOf(batch), now))
      const next = schedule.nextAtMs() ?? now
      apart.push(next - now)
      now = next
    }
    assert.deepStrictEqual(
      named.flatMap((is, at) => (is ? [at + 1] : [])),
      [missesBeforeNamed]
    )
    assert.deepStrictEqual(
      apart,
      [0, 0, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000, 600_000]
    )
    assert.deepStrictEqual(schedule.unknown, [a])
    schedule.seen(a, now)
    assert.deepStrictEqual(schedule.unknown, [])
  })

  it("says of each round whom it asked, and its numbers add up", () => {
    const schedule = scheduleOf([a, b, c])
    const ask = (now: number) => {
      const batch = schedule.take(now, upTo(3))
      for (const symbol of symbolsOf(batch)) {
        if (symbol === c) schedule.missed(symbol, callOf(batch), now)
        else schedule.seen(symbol, now)
      }
      return schedule.completed(now)
    }
    assert.isUndefined(ask(1))
    assert.isUndefined(ask(2))
    assert.deepStrictEqual(ask(3), { number: 1, startedAtMs: 0, endedAtMs: 3, asked: 3, answered: 2, missing: [c] })
    assert.deepInclude(ask(1_100), { number: 2, startedAtMs: 3, asked: 2, answered: 2, missing: [] })
    assert.isUndefined(schedule.completed(1_100))
  })

  it("gives symbols of a call that failed to whoever asks next, and blames nobody", () => {
    const schedule = scheduleOf([a, b, c, d])
    schedule.take(0, upTo(4))
    for (const symbol of [a, b, c, d]) schedule.seen(symbol, 0)
    const batch = schedule.take(1_000, upTo(2))
    assert(batch !== undefined)
    assert.deepStrictEqual(batch.symbols, [a, b])
    schedule.notAsked(batch, 1_000)
    assert.deepStrictEqual(symbolsOf(schedule.take(1_000, upTo(3))), [a, b, c])
    assert.deepStrictEqual(schedule.unknown, [])
  })

  it("lets others come first after a call that failed before anybody was answered", () => {
    const schedule = scheduleOf([a, b, c])
    for (const symbol of [a, b, c, a]) {
      const batch = schedule.take(0, upTo(1))
      assert(batch !== undefined)
      assert.deepStrictEqual(batch.symbols, [symbol])
      schedule.notAsked(batch, 0)
    }
  })

  it("takes no symbol from a call that still waits when an older one for it fails", () => {
    const schedule = scheduleOf([a, b])
    const hanging = schedule.take(0, upTo(1))
    assert(hanging !== undefined)
    schedule.take(0, upTo(1))
    const second = schedule.take(inFlight_ms_max, upTo(2))
    assert.deepStrictEqual(symbolsOf(second), [a, b])
    schedule.seen(b, inFlight_ms_max)
    schedule.notAsked(hanging, inFlight_ms_max)
    assert.isUndefined(schedule.take(inFlight_ms_max, upTo(2)))
  })

  it("holds no silence of a call against a symbol that another call has asked for since, and asks in parts in peace", () => {
    const schedule = scheduleOf([a])
    const slow = schedule.take(0, upTo(1))
    assert(slow !== undefined)
    schedule.hold(slow, 4_000)
    assert.isUndefined(schedule.take(3_999 + inFlight_ms_max, upTo(1)))
    const next = schedule.take(4_000 + inFlight_ms_max, upTo(1))
    assert.deepStrictEqual(symbolsOf(next), [a])
    // What another call has is not its to hold.
    schedule.hold(slow, 100_000)
    assert.strictEqual(schedule.nextAtMs(), 4_000 + 2 * inFlight_ms_max)
    schedule.missed(a, slow.call, 9_000)
    assert.strictEqual(schedule.ages(9_000)[0]?.misses, 0)
    schedule.missed(a, callOf(next), 9_000)
    assert.strictEqual(schedule.ages(9_000)[0]?.misses, 1)
    assert.isFalse(schedule.missed(a, callOf(next), 9_000))
    assert.strictEqual(schedule.ages(9_000)[0]?.misses, 1)
  })

  it("knows whom to try when a call fails: who was answered last and is sound", () => {
    const schedule = scheduleOf([a, b, c, "0001"])
    assert.isUndefined(schedule.soundest([], upTo(30)))
    for (const [at, symbol] of [a, b, c, "0001"].entries()) schedule.seen(symbol, at)
    const batch = schedule.take(1_000, upTo(30))
    schedule.missed(c, callOf(batch), 1_000)
    assert.strictEqual(schedule.soundest([], upTo(30)), "0001")
    assert.strictEqual(schedule.soundest([], mock), b)
    assert.strictEqual(schedule.soundest([b], mock), a)
    // All that are sound are in the call: the newest of them must do.
    assert.strictEqual(schedule.soundest([a, b], mock), b)
  })

  it("keeps what it knows of those who stay when the symbols change, and counts the age of others from then on", () => {
    const schedule = scheduleOf([a, b])
    schedule.take(0, upTo(2))
    schedule.seen(a, 10, { price: 5, cumVolume: 7 })
    schedule.assign(targetsOf([a, c]), 60_000)
    assert.deepStrictEqual(schedule.ages(60_500), [
      {
        symbol: a,
        target_ms: planned_ms,
        late: { times: 0, worst_ms: 0 },
        misses: 0,
        staleness_ms: 60_490,
        seenAtMs: 10,
        price: 5,
        cumVolume: 7
      },
      { symbol: c, target_ms: planned_ms, late: { times: 0, worst_ms: 0 }, misses: 0, staleness_ms: 500 }
    ])
    assert.deepStrictEqual(symbolsOf(schedule.take(60_500, upTo(3))), [c, a])
    schedule.seen(c, 60_600)
    assert.deepStrictEqual(schedule.ages(60_600)[1]?.late, { times: 0, worst_ms: 0 })
  })

  it("asks by a new target at once", () => {
    const schedule = new SweepSchedule(0)
    schedule.assign([...targetsOf([a], 60_000), ...targetsOf([b], 20_000)], 0)
    schedule.take(0, upTo(2))
    schedule.seen(a, 0)
    schedule.seen(b, 0)
    schedule.assign([...targetsOf([a], 3_000), ...targetsOf([b], 20_000)], 100)
    assert.deepStrictEqual(symbolsOf(schedule.take(1_000, upTo(1))), [a])
  })

  it("says how often a symbol was older than its target, how old at the most, and why", () => {
    const schedule = scheduleOf([a])
    const lateAfter = (nowMs: number, why?: string) => {
      schedule.seen(a, nowMs, {}, why)
      return schedule.ages(nowMs)[0]?.late
    }
    assert.deepStrictEqual(lateAfter(1_000), { times: 0, worst_ms: 0 })
    assert.deepStrictEqual(lateAfter(3_000), { times: 1, worst_ms: 2_000, reason: "answers came late" })
    assert.deepStrictEqual(lateAfter(8_000, "gone"), { times: 2, worst_ms: 5_000, reason: "gone" })
    assert.deepStrictEqual(lateAfter(10_000), { times: 3, worst_ms: 5_000, reason: "gone" })
    schedule.missed(a, callOf(schedule.take(11_000, upTo(1))), 11_000)
    assert.deepInclude(lateAfter(20_000), { worst_ms: 10_000, reason: "the broker left it out of 1 answers" })
    schedule.assign([{ symbol: a, target_ms: 1_000, planned_ms: 2_000 }], 20_000)
    assert.deepInclude(lateAfter(40_000), { worst_ms: 20_000, reason: "the calls do not suffice for its target" })
  })

  it("lets nobody grow old while the market is closed, and begins every age and the day's account at its opening", () => {
    const schedule = scheduleOf([a, b])
    schedule.seen(a, 5_000)
    schedule.close(6_000)
    schedule.close(7_000)
    const night = schedule.ages(50_000_000).map(({ staleness_ms }) => staleness_ms)
    assert.deepStrictEqual(night, [5_000, 6_000])
    assert.deepStrictEqual(schedule.coverage(50_000_000, 100), { symbols: 2, seen: 1, stale: 0 })
    schedule.open(50_000_000)
    schedule.open(50_000_500)
    const morning = schedule.ages(50_000_600).map(({ late, staleness_ms }) => [late.times, staleness_ms])
    assert.deepStrictEqual(morning, [
      [0, 600],
      [0, 600]
    ])
    schedule.seen(a, 50_000_900)
    assert.deepStrictEqual(schedule.ages(50_000_900)[0]?.late, { times: 0, worst_ms: 0 })
    assert.deepStrictEqual(schedule.coverage(50_002_000, 1_000), { symbols: 2, seen: 1, stale: 1 })
  })

  it("takes no notice of symbols that are not its own", () => {
    const schedule = scheduleOf([a])
    schedule.seen(b, 0)
    assert.isFalse(schedule.missed(b, 1, 0))
    schedule.notAsked({ symbols: [b], alone: false, call: 1 }, 0)
    assert.deepStrictEqual(schedule.unknown, [])
    assert.isUndefined(schedule.completed(0))
  })

  // What becomes of each symbol of a call: which are left out, and whether the call failed as a whole.
  const Call = Schema.Struct({
    after_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 })),
    failed: Schema.Boolean,
    leftOut: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })))
  })
  const Most = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))

  it.prop(
    "loses no symbol, names each unknown one once, and completes every round once",
    [Schema.Array(Call), Most],
    ([calls, most]) => {
      const symbols = codes(5)
      const schedule = scheduleOf(symbols)
      const misses = new Map(symbols.map((symbol) => [symbol, 0]))
      const seenAtMs = new Map<string, number>()
      const rounds: Array<SweepRound> = []
      let answeredSince = new Set<string>()
      let early = new Set<string>()
      let missedSince = new Set<string>()
      let wanted = new Set(symbols)
      let now = 0
      for (const { after_ms, failed, leftOut } of calls) {
        now += after_ms
        const batch = schedule.take(now, upTo(most))
        if (batch === undefined) continue
        assert.strictEqual(new Set(batch.symbols).size, batch.symbols.length)
        if (batch.alone) assert.strictEqual(batch.symbols.length, 1)
        for (const symbol of batch.symbols) assert.isTrue(now >= (seenAtMs.get(symbol) ?? -soonest_ms) + soonest_ms)
        if (failed) {
          schedule.notAsked(batch, now)
          continue
        }
        for (const symbol of batch.symbols) {
          const unanswered = leftOut.includes(symbols.indexOf(symbol))
          if (!unanswered) {
            schedule.seen(symbol, now)
            seenAtMs.set(symbol, now)
            misses.set(symbol, 0)
            if (answeredSince.has(symbol)) early.add(symbol)
            answeredSince.add(symbol)
            missedSince.delete(symbol)
            continue
          }
          const count = (misses.get(symbol) ?? 0) + 1
          misses.set(symbol, count)
          assert.strictEqual(schedule.missed(symbol, batch.call, now), count === missesBeforeNamed)
          if (count >= missesBeforeNamed && !answeredSince.has(symbol)) missedSince.add(symbol)
        }
        const round = schedule.completed(now)
        const settled = [...wanted].every((symbol) => answeredSince.has(symbol) || missedSince.has(symbol))
        assert.strictEqual(round !== undefined, settled && answeredSince.size + missedSince.size > 0)
        if (round === undefined) continue
        rounds.push(round)
        assert.deepInclude(round, { asked: answeredSince.size + missedSince.size, answered: answeredSince.size })
        assert.deepStrictEqual([...round.missing].sort(), [...missedSince].sort())
        wanted = new Set(symbols.filter((symbol) => (misses.get(symbol) ?? 0) < missesBeforeNamed))
        // Who was ahead by a round is so in the next one, too.
        answeredSince = early
        early = new Set()
        missedSince = new Set()
      }
      assert.deepStrictEqual(
        rounds.map(({ number }) => number),
        rounds.map((_, at) => at + 1)
      )
      assert.deepStrictEqual(
        schedule.unknown,
        symbols.filter((symbol) => (misses.get(symbol) ?? 0) >= missesBeforeNamed)
      )
      // Nothing stays in flight or at rest: sooner or later every symbol is asked again.
      const asked: Array<string> = []
      for (let batch = schedule.take(now + 1_000_000, upTo(100)); batch !== undefined;) {
        asked.push(...batch.symbols)
        batch = schedule.take(now + 1_000_000, upTo(100))
      }
      assert.deepStrictEqual(asked.sort(), symbols)
    },
    { arbitrary: { runs: 300, size: 60 } }
  )
})
