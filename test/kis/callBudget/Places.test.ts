import { assert, describe, it } from "@effect/vitest"
import { hold_ms, makePlaces } from "../../../src/kis/callBudget/Places.ts"

describe("the places of a counter", () => {
  it("are taken at sending and free a second after the answer, whichever answer comes first", () => {
    const places = makePlaces(0, 0)
    places.take()
    places.take()
    assert.strictEqual(places.openAtMs(3, 0), 0)
    assert.strictEqual(places.openAtMs(2, 0), Infinity)
    places.giveBack(90)
    places.giveBack(40)
    assert.strictEqual(places.openAtMs(2, 100), 40 + hold_ms)
    assert.strictEqual(places.openAtMs(1, 100), 90 + hold_ms)
    assert.strictEqual(places.openAtMs(2, 40 + hold_ms), 40 + hold_ms)
    assert.deepStrictEqual(places.spentMs(40 + hold_ms), [90 + hold_ms])
  })

  it("are free at once when nothing was sent, and count what is under way as answered now", () => {
    const places = makePlaces(1, 0)
    places.take()
    places.take()
    places.spare()
    assert.deepStrictEqual(places.spentMs(500), [hold_ms, 500 + hold_ms])
    assert.strictEqual(places.openAtMs(2, 500), hold_ms)
  })
})
