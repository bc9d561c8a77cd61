import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { next, type SessionEvent, type SessionState } from "../../src/kis/SessionState.ts"

const because = "cut"
const states = {
  idle: { _tag: "idle" },
  approving: { _tag: "approving", attempt: 2, unapproved: 0 },
  connecting: { _tag: "connecting", attempt: 2, unapproved: 0 },
  subscribing: { _tag: "subscribing", attempt: 2, unapproved: 0 },
  live: { _tag: "live" },
  silent: { _tag: "silent", attempt: 2, unapproved: 0 },
  waiting: { _tag: "waiting", attempt: 2, unapproved: 0, for_ms: 4_000, because },
  parked: { _tag: "parked", because }
} as const satisfies Readonly<Record<SessionState["_tag"], SessionState>>

const events = {
  Wanted: { _tag: "Wanted" },
  Unwanted: { _tag: "Unwanted" },
  Stopped: { _tag: "Stopped" },
  Governed: { _tag: "Governed" },
  Approved: { _tag: "Approved" },
  Opened: { _tag: "Opened" },
  Heard: { _tag: "Heard" },
  Silence: { _tag: "Silence" },
  KeyInUse: { _tag: "KeyInUse" },
  Unapproved: { _tag: "Unapproved" },
  Lost: { _tag: "Lost", because },
  Refused: { _tag: "Refused", because },
  WaitOver: { _tag: "WaitOver" }
} as const satisfies Readonly<Record<SessionEvent["_tag"], SessionEvent>>

const down = {
  Stopped: "idle",
  KeyInUse: "waiting",
  Unapproved: "waiting",
  Lost: "waiting",
  Refused: "parked"
} as const

/** Where each event leads; whatever is not named leaves the state as it is. */
const legal: Readonly<Record<SessionState["_tag"], Partial<Record<SessionEvent["_tag"], SessionState["_tag"]>>>> = {
  idle: { Wanted: "approving", Refused: "parked" },
  approving: { Unwanted: "idle", Governed: "waiting", Approved: "connecting", ...down },
  connecting: { Opened: "subscribing", ...down },
  subscribing: { Heard: "live", Silence: "silent", ...down },
  live: { Silence: "silent", ...down },
  silent: { Heard: "live", ...down },
  waiting: { WaitOver: "approving", Stopped: "idle", Refused: "parked" },
  parked: {}
}

const keys = <A extends object>(of: A) => Object.keys(of) as Array<Extract<keyof A, string>>

describe("a streaming session", () => {
  for (const from of keys(states)) {
    for (const event of keys(events)) {
      const to = legal[from][event]
      it(`that is ${from} ${to === undefined ? "takes no notice of" : `becomes ${to} on`} ${event}`, () => {
        const after = next(states[from], events[event])
        if (to === undefined) assert.strictEqual(after, states[from])
        else assert.strictEqual(after._tag, to)
      })
    }
  }

  const lose = (state: SessionState, event: SessionEvent): SessionState => {
    const waiting = next(state, event)
    return next(next(next(waiting, events.WaitOver), events.Approved), events.Opened)
  }
  const waits = (event: SessionEvent, times: number) => {
    let state: SessionState = { _tag: "subscribing", attempt: 0, unapproved: 0 }
    return Array.from({ length: times }, () => {
      const waiting = next(state, event)
      state = lose(state, event)
      return waiting._tag === "waiting" ? waiting.for_ms : undefined
    })
  }

  it("waits ever longer while connections only open, up to a minute", () => {
    assert.deepStrictEqual(waits(events.Lost, 9), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  it("waits as long as the broker's own trouble wants", () => {
    const again = { min_ms: 60_000, max_ms: 600_000 }
    assert.deepStrictEqual(waits({ ...events.Lost, again }, 5), [60_000, 120_000, 240_000, 480_000, 600_000])
  })

  it("waits from five seconds on when the key is in use", () => {
    assert.deepStrictEqual(waits(events.KeyInUse, 6), [5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
  })

  it("tries another approval key soon, and waits for minutes once that is not known either", () => {
    assert.deepStrictEqual(waits(events.Unapproved, 6), [1_000, 300_000, 600_000, 1_200_000, 1_800_000, 1_800_000])
  })

  it("that was silent without having been heard waits as long as one that was cut", () => {
    const silent = next({ _tag: "subscribing", attempt: 3, unapproved: 0 }, events.Silence)
    assert.deepInclude(next(silent, events.Lost), { _tag: "waiting", attempt: 4, for_ms: 8_000 })
  })

  it("that the governor holds back is no further failure", () => {
    const held = next({ _tag: "approving", attempt: 2, unapproved: 1 }, events.Governed)
    assert.deepInclude(held, { _tag: "waiting", attempt: 2, unapproved: 1, for_ms: undefined })
    assert.deepStrictEqual(next(held, events.WaitOver), { _tag: "approving", attempt: 2, unapproved: 1 })
  })

  it("begins anew with the short wait only after something was heard", () => {
    let state: SessionState = { _tag: "subscribing", attempt: 6, unapproved: 0 }
    state = next(state, events.Heard)
    assert.deepInclude(next(state, events.Lost), { _tag: "waiting", attempt: 1, for_ms: 1_000 })
  })

  const Walk = Schema.Array(Schema.Literals(keys(events)))
  it.prop("never connects without a wait after a loss, and never leaves parked", [Walk], ([walk]) => {
    let state: SessionState = states.idle
    let lost = false
    for (const name of walk) {
      const after = next(state, events[name])
      if (state._tag === "parked") assert.strictEqual(after, state)
      if (after._tag === "waiting") {
        lost = true
        assert.isTrue(after.for_ms === undefined || (after.for_ms >= 1_000 && after.for_ms <= 1_800_000))
      }
      if (lost && after._tag === "approving" && state._tag !== "approving") {
        assert.isTrue(state._tag === "waiting" || state._tag === "idle")
      }
      state = after
    }
  })
})
