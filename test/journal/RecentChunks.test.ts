import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeNumberer } from "../../src/domain/JournalRecord.ts"
import { RecentChunks } from "../../src/journal/RecentChunks.ts"
import { chunk, seen } from "./fixtures.ts"

const number = makeNumberer("node")
const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))

describe("the newest chunks in memory", () => {
  it.prop(
    "are whole, follow any place they reach back to, and are never many more than the limit",
    [Schema.Array(Count), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))],
    ([counts, limit]) => {
      const recent = new RecentChunks(limit, number)
      let seq = 100
      const sizes: Array<number> = []
      for (const count of counts) {
        seq += count
        recent.add(chunk(seq - count + 1, count), { seq, file: "file", byteOffset: seq * 10 })
        sizes.push(count)
        // What must be remembered: the newest chunk, and as many before it as fit under the limit.
        let kept = sizes.at(-1) ?? 0
        for (const size of sizes.slice(0, -1).reverse()) {
          if (kept + size > limit) break
          kept += size
        }
        for (let from = 99; from <= seq + 1; from++) {
          const found = recent.after(from)
          if (from < seq - kept || from >= seq) assert.isUndefined(found, `after ${from} of ${seq}`)
          else {
            const last = found?.end.seq ?? 0
            const expected = Array.from({ length: last - from }, (_, at) => number(seen(from + 1 + at), from + 1 + at))
            assert.deepStrictEqual(found?.records, expected)
            assert.deepStrictEqual(found?.end, { seq: last, file: "file", byteOffset: last * 10 })
          }
        }
      }
    },
    { arbitrary: { runs: 60, size: 25 } }
  )

  it("become records once, when the first follower asks for them", () => {
    const made: Array<number> = []
    const recent = new RecentChunks(10, (draft, seq) => {
      made.push(seq)
      return number(draft, seq)
    })
    recent.add(chunk(1, 2), { seq: 2, file: "file", byteOffset: 20 })
    recent.add(chunk(3, 3), { seq: 5, file: "file", byteOffset: 50 })
    assert.deepStrictEqual(made, [])
    assert.deepStrictEqual(recent.after(3)?.records, [number(seen(4), 4), number(seen(5), 5)])
    assert.strictEqual(recent.after(2)?.records, recent.after(2)?.records)
    assert.deepStrictEqual(made, [3, 4, 5])
  })

  it("are none before the first append", () => {
    assert.isUndefined(new RecentChunks(10, number).after(0))
  })
})
