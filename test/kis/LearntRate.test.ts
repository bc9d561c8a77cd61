import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type CallTimes, initialRate, type LearntRate, onAnswered, onRefused } from "../../src/kis/LearntRate.ts"

const at = (nowMs: number): CallTimes => ({ sentAtMs: nowMs, nowMs })
const refusedAt = (learnt: LearntRate, ...moments: ReadonlyArray<number>) =>
  moments.reduce((so, moment) => onRefused(so, at(moment)), learnt)
const answeredAt = (learnt: LearntRate, ...moments: ReadonlyArray<number>) =>
  moments.reduce((so, moment) => onAnswered(so, at(moment)), learnt)
const everyMs = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)

/** From every score: the one that follows an answer and a refusal, or `undefined` for a storm. */
const scoresAfter = () => {
  const base = initialRate(18, 0)
  const table: Array<readonly [answered: number, refused: number | undefined]> = []
  for (let score = 0; ; score++) {
    const refused = onRefused({ ...base, score }, at(0))
    table.push([onAnswered({ ...base, score }, at(0)).score, refused.rate < base.rate ? undefined : refused.score])
    // The score of one point more would itself be a storm.
    if (onRefused({ ...base, score: score + 1 - 19 }, at(0)).rate < base.rate) return table
  }
}

/** How many calls it takes on average to see a storm where there is only weather: one over the chance that settles in. */
const callsUntilFalseAlarm = (weather: number): number => {
  const table = scoresAfter()
  let chances: Array<number> = table.map((_, score) => (score === 0 ? 1 : 0))
  let alarm = 0
  for (let call = 0; call < 4_000; call++) {
    const next = table.map(() => 0)
    alarm = 0
    table.forEach(([answered, refused], score) => {
      const chance = chances[score] ?? 0
      next[answered] = (next[answered] ?? 0) + chance * (1 - weather)
      if (refused === undefined) alarm += chance * weather
      else next[refused] = (next[refused] ?? 0) + chance * weather
    })
    chances = next.map((chance) => chance / (1 - alarm))
  }
  return 1 / alarm
}

describe("the learnt rate", () => {
  it("begins with the published limit", () => assert.strictEqual(initialRate(18, 0).rate, 18))

  it("is lowered wrongly once in five weeks of calling day and night at 0.5 % weather, in two days at 0.9 %", () => {
    const callsAnHour = 17.3 * 3_600
    assert.isAbove(callsUntilFalseAlarm(0.005) / callsAnHour, 24 * 35)
    assert.isAbove(callsUntilFalseAlarm(0.0086) / callsAnHour, 40)
  })

  it("takes refusals below a share of one in twenty for weather, however long it lasts", () => {
    let learnt = initialRate(18, 0)
    for (let call = 0; call < 100_000; call++) {
      learnt = call % 21 === 0 ? refusedAt(learnt, call * 55) : answeredAt(learnt, call * 55)
    }
    assert.strictEqual(learnt.rate, 18)
  })

  it("sees a storm in five refusals in a row, and in one refusal of four within thirty calls", () => {
    assert.strictEqual(refusedAt(initialRate(18, 0), 0, 1, 2, 3).rate, 18)
    assert.isBelow(refusedAt(initialRate(18, 0), 0, 1, 2, 3, 4).rate, 18)
    let learnt = initialRate(18, 0)
    for (let call = 0; call < 30; call++) learnt = call % 4 < 3 ? answeredAt(learnt, call) : refusedAt(learnt, call)
    assert.isBelow(learnt.rate, 18)
  })

  it("goes down to what the broker answered, by a fifth at least and by two thirds at most", () => {
    const after = (answers: number) =>
      refusedAt(answeredAt(initialRate(18, 0), ...everyMs(0, answers - 1, 1)), ...everyMs(500, 505, 1)).rate
    assert.deepStrictEqual([0, 3, 9, 14, 17].map(after), [6, 6, 9, 14, 14])
  })

  it("hears nothing of calls that were sent before it was changed", () => {
    const once = refusedAt(initialRate(18, 0), 100, 101, 102, 103, 104)
    const late = everyMs(105, 140, 1).reduce((so, nowMs) => onRefused(so, { sentAtMs: 103, nowMs }), once)
    assert.deepStrictEqual(late, once)
  })

  it("is never lower than one", () => {
    assert.strictEqual(refusedAt(initialRate(2, 0), ...everyMs(0, 300, 1)).rate, 1)
  })

  it("is raised by one every five quiet seconds up to where the storm was, which it tries after a quiet minute", () => {
    let learnt = refusedAt(answeredAt(initialRate(18, 0), ...everyMs(0, 11, 1)), ...everyMs(20, 25, 1))
    assert.strictEqual(learnt.rate, 12)
    const raisedAtSeconds: Array<readonly [number, number]> = []
    for (let now = 100; now < 200_000; now += 60) {
      const before = learnt.rate
      learnt = answeredAt(learnt, now)
      if (learnt.rate > before) raisedAtSeconds.push([learnt.rate, Math.round(now / 1_000)])
    }
    assert.deepStrictEqual(raisedAtSeconds, [
      [13, 5],
      [14, 10],
      [15, 15],
      [16, 20],
      [17, 25],
      [18, 85]
    ])
    assert.isUndefined(learnt.ceiling)
  })

  it("steps back by one when the ceiling fails again, after few refusals, and doubles its patience up to 15 minutes", () => {
    let learnt: LearntRate = { ...initialRate(18, 0), rate: 3, ceiling: 4 }
    const tries: Array<number> = []
    let refusals = 0
    for (let now = 0; now < 3_600_000; now += 300) {
      const before = learnt.rate
      // The broker takes three: of four calls in a second it refuses one.
      if (before === 4 && now % 1_200 === 0) {
        learnt = refusedAt(learnt, now)
        refusals += 1
      } else learnt = answeredAt(learnt, now)
      if (before === 3 && learnt.rate === 4) tries.push(now)
      assert.isAtMost(learnt.rate, 4)
    }
    const apart_minutes = tries.slice(1).map((now, index) => Math.round((now - (tries[index] ?? 0)) / 60_000))
    assert.deepStrictEqual(apart_minutes, [2, 4, 8, 15, 15])
    assert.isAtMost(refusals, tries.length * 4)
  })

  it("goes on where the run before was, keeps its ceiling for hours, and follows a limit it was never below", () => {
    const recalled = { limit: 18, rate: 3, ceiling: 4, age_ms: 3_600_000 }
    assert.deepInclude(initialRate(18, 0, recalled), { rate: 3, ceiling: 4 })
    const { ceiling, rate } = initialRate(18, 0, { ...recalled, age_ms: 7 * 3_600_000 })
    assert.deepStrictEqual([rate, ceiling], [3, undefined])
    assert.isUndefined(initialRate(18, 0, { ...recalled, age_ms: -1 }).ceiling)
    assert.strictEqual(initialRate(2, 0, recalled).rate, 2)
    assert.strictEqual(initialRate(18, 0, { ...recalled, limit: 20, rate: 20 }).rate, 18)
    assert.strictEqual(initialRate(20, 0, { ...recalled, limit: 18, rate: 18 }).rate, 20)
  })

  const Step = Schema.Struct({
    refused: Schema.Boolean,
    after_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))
  })
  it.prop(
    "stays between one and the limit whatever happens, and remembers a second of answers at most",
    [Schema.Array(Step)],
    ([steps]) => {
      let learnt = initialRate(18, 0)
      let now = 0
      for (const { after_ms, refused } of steps) {
        now += after_ms
        const before = learnt.rate
        learnt = refused ? refusedAt(learnt, now) : answeredAt(learnt, now)
        assert.isTrue(Number.isInteger(learnt.rate) && learnt.rate >= 1 && learnt.rate <= 18)
        assert.isTrue(refused ? learnt.rate <= before : learnt.rate - before <= 1 && learnt.rate >= before)
        assert.isAtMost(learnt.answeredAtMs.length, 18)
      }
    }
  )
})
