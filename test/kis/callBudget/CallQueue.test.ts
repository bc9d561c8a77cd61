import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeCallQueue, type Waiting } from "../../../src/kis/callBudget/CallQueue.ts"

const Step = Schema.Union([
  Schema.Struct({
    do: Schema.Literal("join"),
    caller: Schema.Literals(["a", "b", "c"]),
    lane: Schema.Literals(["quotes", "ledger"])
  }),
  Schema.Struct({ do: Schema.Literal("take"), ledgerOpen: Schema.Boolean }),
  Schema.Struct({ do: Schema.Literal("leave"), nth: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })) })
])

describe("the queue of calls", () => {
  it.prop(
    "serves a caller's lane in order, passes over nobody twice, and loses no one",
    [Schema.Array(Step).check(Schema.isMaxLength(200))],
    ([steps]) => {
      const room = 4
      const queue = makeCallQueue<Waiting>(room)
      let model: Array<Waiting & { servedOthers: Map<string, number> }> = []
      steps.forEach((step, joinedMs) => {
        if (step.do === "join") {
          const call = { caller: step.caller, lane: step.lane, joinedMs, servedOthers: new Map<string, number>() }
          const fits = model.filter(({ caller }) => caller === step.caller).length < room
          assert.strictEqual(queue.join(call), fits)
          if (fits) model.push(call)
        } else if (step.do === "leave") {
          const gone = model[step.nth]
          if (gone === undefined) return
          queue.leave(gone)
          model = model.filter((call) => call !== gone)
        } else {
          const open = (lane: string) => lane === "quotes" || step.ledgerOpen
          const candidates = model.filter(({ lane }) => open(lane))
          const taken = queue.take(open)
          assert.strictEqual(taken === undefined, candidates.length === 0)
          if (taken === undefined) return
          assert.strictEqual(
            taken,
            candidates.find(({ caller }) => caller === taken.caller),
            "the first of its caller"
          )
          model = model.filter((call) => call !== taken)
          for (const caller of new Set(candidates.map((call) => call.caller))) {
            if (caller === taken.caller) continue
            const first = candidates.find((call) => call.caller === caller)
            const before = first?.servedOthers.get(taken.caller) ?? 0
            assert.isAtMost(before, 1, `${taken.caller} goes again and again before ${caller}`)
            first?.servedOthers.set(taken.caller, before + 1)
          }
        }
        const oldest = model.reduce<Waiting | undefined>(
          (so, call) => (so === undefined || call.joinedMs < so.joinedMs ? call : so),
          undefined
        )
        assert.strictEqual(queue.oldest(), oldest)
        for (const lane of ["quotes", "ledger"] as const) {
          assert.strictEqual(queue.waiting(lane), model.filter((call) => call.lane === lane).length)
        }
      })
    }
  )
})
