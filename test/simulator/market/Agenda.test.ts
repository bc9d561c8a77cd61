import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeAgenda } from "../../../src/simulator/market/Agenda.ts"

const Instants = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })))

describe("the agenda", () => {
  it.prop(
    "keeps appointments in the order of their instants, and of their making at the same one",
    [Instants],
    ([instants]) => {
      const agenda = makeAgenda()
      const kept: Array<readonly [atMs: number, made: number]> = []
      instants.forEach((atMs, made) => agenda.add(atMs, (dueMs) => void kept.push([dueMs, made])))
      while (agenda.nextMs() < Number.POSITIVE_INFINITY) agenda.runNext()
      const expected = instants.map((atMs, made) => [atMs, made] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1])
      assert.deepStrictEqual(kept, expected)
    }
  )

  it("has nothing left when it is cleared", () => {
    const agenda = makeAgenda()
    agenda.add(1, () => assert.fail("was cleared"))
    agenda.clear()
    assert.strictEqual(agenda.nextMs(), Number.POSITIVE_INFINITY)
    agenda.runNext()
  })
})
