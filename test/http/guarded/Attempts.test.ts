import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { addresses_max, Attempts, attempts_max, networkOf, regained_ms } from "../../../src/http/guarded/Attempts.ts"

describe("the attempts of an address", () => {
  it("are so many at once, and then one at a time", () => {
    const attempts = new Attempts()
    for (let count = 0; count < attempts_max; count++) {
      assert.strictEqual(attempts.wait_ms("10.0.0.1", 1_000), 0)
      attempts.failed("10.0.0.1", 1_000)
    }
    assert.strictEqual(attempts.wait_ms("10.0.0.1", 1_000), regained_ms)
    assert.strictEqual(attempts.wait_ms("10.0.0.2", 1_000), 0)
    assert.strictEqual(attempts.wait_ms("10.0.0.1", 1_000 + regained_ms - 1), 1)
    assert.strictEqual(attempts.wait_ms("10.0.0.1", 1_000 + regained_ms), 0)
    attempts.failed("10.0.0.1", 1_000 + regained_ms)
    assert.strictEqual(attempts.wait_ms("10.0.0.1", 1_000 + regained_ms), regained_ms)
    // A clock set back by an hour keeps nobody out for an hour.
    assert.strictEqual(attempts.wait_ms("10.0.0.1", 0), regained_ms)
  })

  it.prop(
    "are never more than the time allows, and take bounded memory",
    [Schema.Array(Schema.Tuple([Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30_000 })), Schema.Boolean]))],
    ([steps]) => {
      const attempts = new Attempts()
      let nowMs = 0
      let looked = 0
      for (const [later_ms, isOther] of steps) {
        nowMs += later_ms
        if (isOther) attempts.failed(`10.1.${looked % 256}.1`, nowMs)
        if (attempts.wait_ms("10.0.0.1", nowMs) > 0) continue
        attempts.failed("10.0.0.1", nowMs)
        looked += 1
        assert.isAtMost(looked, attempts_max + nowMs / regained_ms + 1e-6)
      }
    }
  )

  it("of a whole internet are remembered of the newest alone", () => {
    const attempts = new Attempts()
    for (let at = 0; at < 3 * addresses_max; at++) attempts.failed(`10.${at >> 8}.${at & 255}.1`, 0)
    assert.strictEqual(attempts.size, addresses_max)
  })

  it("are those of its network of the sixth version, in whichever form it is written", () => {
    assert.strictEqual(networkOf("192.0.2.1"), "192.0.2.1")
    assert.strictEqual(networkOf("::ffff:192.0.2.1"), "192.0.2.1")
    assert.strictEqual(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2")
    assert.strictEqual(networkOf("2001:db8:1:2::9"), "2001:db8:1:2")
    assert.strictEqual(networkOf("2001:db8::9"), "2001:db8:0:0")
    assert.strictEqual(networkOf("::1"), "0:0:0:0")
    assert.strictEqual(networkOf(""), "")
  })
})
