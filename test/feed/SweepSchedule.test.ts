import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { missesBeforeNamed, type SweepRound, SweepSchedule } from "../../src/feed/SweepSchedule.ts"

const target_ms = 1_000
const codes = (count: number) => Array.from({ length: count }, (_, at) => `00${1_000 + at}`)

describe("a sweep", () => {
  it("asks for every symbol, as many at a time as fit into a call", () => {
    const schedule = new SweepSchedule(codes(65), target_ms, 0)
    const batches = [30, 30, 30, 30].map((most) => schedule.take(0, most))
    assert.deepStrictEqual(
      batches.map((batch) => batch.length),
      [30, 30, 5, 0]
    )
    assert.deepStrictEqual(batches.flat(), codes(65))
    assert.isUndefined(schedule.nextDueAtMs())
  })

  it("asks the most overdue first, and none before its time", () => {
    const schedule = new SweepSchedule(["a", "b", "c"], target_ms, 0)
    schedule.take(0, 3)
    schedule.seen("b", 10)
    schedule.seen("c", 20)
    schedule.seen("a", 30)
    assert.strictEqual(schedule.nextDueAtMs(), 1_010)
    assert.deepStrictEqual(schedule.take(1_009, 3), [])
    assert.deepStrictEqual(schedule.take(1_020, 3), ["b", "c"])
    assert.deepStrictEqual(schedule.take(5_000, 3), ["a"])
  })

  it("asks a missing symbol again at once, before everything that is merely due", () => {
    const schedule = new SweepSchedule(["a", "b", "c"], target_ms, 0)
    assert.deepStrictEqual(schedule.take(0, 2), ["a", "b"])
    schedule.seen("a", 5)
    assert.isFalse(schedule.missed("b", 5))
    assert.deepStrictEqual(schedule.take(5, 2), ["b", "c"])
  })

  it("names a symbol once, after the third time it was left out, and asks it ever more rarely", () => {
    const schedule = new SweepSchedule(["a"], target_ms, 0)
    const named: Array<boolean> = []
    const apart: Array<number> = []
    let now = 0
    for (let asked = 0; asked < 12; asked++) {
      assert.deepStrictEqual(schedule.take(now, 1), ["a"])
      named.push(schedule.missed("a", now))
      const due = Math.max(now, schedule.nextDueAtMs() ?? 0)
      apart.push(due - now)
      now = due
    }
    assert.deepStrictEqual(
      named.flatMap((is, at) => (is ? [at + 1] : [])),
      [missesBeforeNamed]
    )
    assert.deepStrictEqual(
      apart,
      [0, 0, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000, 600_000]
    )
    assert.deepStrictEqual(schedule.unknown, ["a"])
    schedule.seen("a", now)
    assert.deepStrictEqual(schedule.unknown, [])
    assert.strictEqual(schedule.nextDueAtMs(), now + target_ms)
  })

  it("says of each round whom it asked, and its numbers add up", () => {
    const schedule = new SweepSchedule(["a", "b", "x"], target_ms, 0)
    const ask = (now: number) => {
      for (const symbol of schedule.take(now, 3)) {
        if (symbol === "x") schedule.missed(symbol, now)
        else schedule.seen(symbol, now)
      }
      return schedule.completed(now)
    }
    assert.isUndefined(ask(1))
    assert.isUndefined(ask(2))
    assert.deepStrictEqual(ask(3), { number: 1, startedAtMs: 0, endedAtMs: 3, asked: 3, answered: 2, missing: ["x"] })
    const second = ask(1_100)
    assert.deepInclude(second, { number: 2, startedAtMs: 3, answered: 2 })
    assert.strictEqual(second?.asked, (second?.answered ?? 0) + (second?.missing.length ?? 0))
    assert.isUndefined(schedule.completed(1_100))
  })

  it("asks again as before for a call that failed as a whole", () => {
    const schedule = new SweepSchedule(["a", "b"], target_ms, 0)
    schedule.take(0, 2)
    schedule.notAsked(["a", "b", "never heard of"])
    assert.deepStrictEqual(schedule.take(0, 2), ["a", "b"])
    assert.deepStrictEqual(schedule.unknown, [])
  })

  it("takes no notice of symbols that are not its own", () => {
    const schedule = new SweepSchedule(["a"], target_ms, 0)
    schedule.seen("x", 0)
    assert.isFalse(schedule.missed("x", 0))
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
      const schedule = new SweepSchedule(symbols, target_ms, 0)
      const misses = new Map(symbols.map((symbol) => [symbol, 0]))
      const seenAtMs = new Map<string, number>()
      const rounds: Array<SweepRound> = []
      let answeredSince = new Set<string>()
      let missedSince = new Set<string>()
      let wanted = new Set(symbols)
      let now = 0
      for (const { after_ms, failed, leftOut } of calls) {
        now += after_ms
        const batch = schedule.take(now, most)
        assert.strictEqual(new Set(batch).size, batch.length)
        for (const symbol of batch) assert.isTrue(now >= (seenAtMs.get(symbol) ?? -target_ms) + target_ms)
        if (failed) {
          schedule.notAsked(batch)
          continue
        }
        for (const symbol of batch) {
          const unanswered = leftOut.includes(symbols.indexOf(symbol))
          if (!unanswered) {
            schedule.seen(symbol, now)
            seenAtMs.set(symbol, now)
            misses.set(symbol, 0)
            answeredSince.add(symbol)
            missedSince.delete(symbol)
            continue
          }
          const count = (misses.get(symbol) ?? 0) + 1
          misses.set(symbol, count)
          assert.strictEqual(schedule.missed(symbol, now), count === missesBeforeNamed)
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
        answeredSince = new Set()
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
      // Nothing stays in flight: sooner or later every symbol is asked again.
      assert.deepStrictEqual([...schedule.take(now + 1_000_000, 100)].sort(), symbols)
    },
    { arbitrary: { runs: 300, size: 60 } }
  )
})
