import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeRecordId } from "../../src/domain/RecordId.ts"

const most = 2 ** 48 - 1
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))
const Seq = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: most }))
const Node = Schema.String.check(Schema.isPattern(/^[a-z0-9]{1,12}$/))

describe("the id of a record", () => {
  it.prop("is a UUIDv7 that begins with the time of receipt", [Node, Millis, Seq], ([node, millis, seq]) => {
    const id = makeRecordId(node)(millis, seq)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.strictEqual(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), millis)
  })

  it.prop("is the same for the same line, whoever makes it", [Node, Millis, Seq], ([node, millis, seq]) => {
    assert.strictEqual(makeRecordId(node)(millis, seq), makeRecordId(node)(millis, seq))
  })

  it.prop("differs for every other seq of the node", [Node, Millis, Seq, Seq], ([node, millis, one, other]) => {
    const id = makeRecordId(node)
    assert.strictEqual(id(millis, one) === id(millis, other), one === other)
  })

  it.prop("sorts by time, and by seq within a millisecond", [Millis, Millis, Seq, Seq], ([early, late, one, other]) => {
    const id = makeRecordId("node")
    assert.strictEqual(id(early, one) < id(late, other), early < late || (early === late && one < other))
  })

  it("differs between two nodes that received at the same time under the same seq", () => {
    const ids = ["seoul", "busan", "node-1", "node-2"].map((node) => makeRecordId(node)(1_795_478_400_000, 1))
    assert.strictEqual(new Set(ids).size, ids.length)
  })

  it("stays what it was: ids already stored must be found again", () => {
    assert.strictEqual(makeRecordId("node")(1_795_478_400_123, 4_711), "01a20ada-2c7b-7545-9184-000000001267")
  })
})
