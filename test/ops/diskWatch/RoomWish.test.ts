import { assert, describe, it } from "@effect/vitest"
import { RoomWish } from "../../../src/ops/diskWatch/RoomWish.ts"

describe("the wish for room", () => {
  it("is there at once when room gets short or is gone, again each minute while it is so, and not else", () => {
    const wish = new RoomWish()
    const asked = (["ok", "low", "low", "full", "full", "full", "missing", "low", "ok"] as const).map((state, index) =>
      wish.isDue(state, index * 31_000)
    )
    assert.deepStrictEqual(asked, [false, true, false, true, false, true, false, true, false])
  })
})
