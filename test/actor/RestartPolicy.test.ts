import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  type Decision,
  fresh,
  next,
  patient,
  type RestartPolicy,
  type Standing,
  vital
} from "../../src/actor/RestartPolicy.ts"

const policy: RestartPolicy = {
  restarts_max: 3,
  window_ms: 60_000,
  backOff_ms_min: 100,
  backOff_ms_max: 1_000,
  stable_ms: 10_000,
  exhausted: "park",
  coolDown_ms: 60_000
}
const generous = { ...policy, restarts_max: 100 }

interface Failure {
  readonly idle_ms: number
  readonly ran_ms: number
  readonly random: number
}

/** Failures one after another, each after the decided wait and a run of `ran_ms`. */
const live = (own: RestartPolicy, failures: ReadonlyArray<Failure>) => {
  let standing: Standing = fresh
  let nowMs = 1_000_000
  return failures.map(({ idle_ms, ran_ms, random }) => {
    nowMs += idle_ms + ran_ms
    const before = standing
    const outcome = next(own, standing, { nowMs, ran_ms, random })
    standing = outcome.standing
    const { decision } = outcome
    const failedMs = nowMs
    if (decision._tag === "Restart") nowMs += decision.after_ms
    if (decision._tag === "Park") nowMs += decision.for_ms
    return { before, decision, standing, failedMs, ran_ms }
  })
}

const atOnce = (random: number): Failure => ({ idle_ms: 0, ran_ms: 0, random })
const decisions = (own: RestartPolicy, failures: ReadonlyArray<Failure>): ReadonlyArray<Decision> =>
  live(own, failures).map(({ decision }) => decision)
const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

const Ran = Schema.Union([
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9_999 })),
  Schema.Int.check(Schema.isBetween({ minimum: 10_000, maximum: 100_000 }))
])
const FailureOf = Schema.Struct({
  idle_ms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 })),
  ran_ms: Ran,
  random: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999_999 }))
})

describe("the restart of an actor", () => {
  it("waits twice as long after each failure in a row, up to the most", () => {
    const waits = decisions(generous, times(7, atOnce(0.999_999)))
    assert.deepStrictEqual(
      waits,
      [100, 200, 400, 800, 1_000, 1_000, 1_000].map((after_ms) => ({ _tag: "Restart", after_ms }))
    )
  })

  it("waits half as long at the least", () => {
    const waits = decisions(generous, times(5, atOnce(0)))
    assert.deepStrictEqual(
      waits,
      [50, 100, 200, 400, 500].map((after_ms) => ({ _tag: "Restart", after_ms }))
    )
  })

  it("never overflows, however long the row of failures", () => {
    const { decision } = next(
      { ...policy, restarts_max: 10_000 },
      { restartsAtMs: [], streak: 5_000 },
      {
        nowMs: 0,
        ran_ms: 0,
        random: 0.5
      }
    )
    assert.deepStrictEqual(decision, { _tag: "Restart", after_ms: 750 })
  })

  it.each([
    [9_999, 400],
    [10_000, 100]
  ])("after a run of %i ms waits up to %i ms, as the third failure or as the first", (ran_ms, after_ms) => {
    const standing: Standing = { restartsAtMs: [], streak: 2 }
    const { decision } = next(policy, standing, { nowMs: 0, ran_ms, random: 0.999_999 })
    assert.deepStrictEqual(decision, { _tag: "Restart", after_ms })
  })

  it("has its whole budget again after a stable run", () => {
    const crashes = [...times(3, atOnce(0)), { idle_ms: 0, ran_ms: 10_000, random: 0 }, ...times(3, atOnce(0))]
    assert.deepStrictEqual(
      decisions(policy, crashes).map(({ _tag }) => _tag),
      [...times(6, "Restart"), "Park"]
    )
  })

  it("ends in rest when the budget is spent, and begins anew after it", () => {
    const felled = live(policy, times(8, atOnce(0)))
    assert.deepStrictEqual(
      felled.map(({ decision }) => decision._tag),
      [...times(3, "Restart"), "Park", ...times(3, "Restart"), "Park"]
    )
    assert.deepStrictEqual(felled[3]?.decision, { _tag: "Park", for_ms: 60_000 })
    assert.deepStrictEqual(felled[3]?.standing, fresh)
  })

  it("escalates instead where the policy says so", () => {
    const escalating: RestartPolicy = { ...policy, exhausted: "escalate" }
    assert.deepStrictEqual(decisions(escalating, times(4, atOnce(0))).at(-1), { _tag: "Escalate" })
  })

  it.each([
    [59_999, "Park"],
    [60_000, "Restart"]
  ])("counts a restart of %i ms ago: %s", (ago, expected) => {
    const standing: Standing = { restartsAtMs: [0, 30_000, 40_000], streak: 3 }
    const { decision } = next(policy, standing, { nowMs: ago, ran_ms: 0, random: 0 })
    assert.strictEqual(decision._tag, expected)
  })

  it.prop(
    "happens at most restarts_max times within any window that holds no stable run and no rest",
    [Schema.Array(FailureOf)],
    ([failures]) => {
      let row: Array<number> = []
      for (const { decision, failedMs, ran_ms } of live(policy, failures)) {
        if (ran_ms >= policy.stable_ms) row = []
        if (decision._tag === "Restart") row.push(failedMs)
        else row = []
        const within = row.filter((at) => failedMs - at < policy.window_ms)
        assert.isAtMost(within.length, policy.restarts_max)
      }
    },
    { arbitrary: { runs: 300, size: 40 } }
  )

  it.prop(
    "waits between half and all of the doubled length, never more than the most",
    [Schema.Array(FailureOf)],
    ([failures]) => {
      for (const { before, decision, ran_ms, standing } of live(generous, failures)) {
        assert.strictEqual(standing.streak, ran_ms >= 10_000 ? 1 : before.streak + 1)
        const length = Math.min(1_000, 100 * 2 ** (standing.streak - 1))
        assert.isTrue(
          decision._tag === "Restart" && decision.after_ms >= length / 2 && decision.after_ms <= length,
          JSON.stringify({ decision, length })
        )
      }
    },
    { arbitrary: { runs: 100, size: 40 } }
  )
})

describe("the policies that are used", () => {
  it.each([0, 0.25, 0.5, 0.75, 0.999_999])(
    "let a patient actor that fails at once rest after ten restarts, with jitter %f",
    (random) => {
      assert.deepStrictEqual(
        decisions(patient, times(11, atOnce(random))).map(({ _tag }) => _tag),
        [...times(10, "Restart"), "Park"]
      )
    }
  )

  it.each([0, 0.5, 0.999_999])("end the tree when a vital actor has failed four times, with jitter %f", (random) => {
    assert.deepStrictEqual(
      decisions(vital, times(4, atOnce(random))).map(({ _tag }) => _tag),
      [...times(3, "Restart"), "Escalate"]
    )
  })
})
