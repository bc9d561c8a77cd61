import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeNumberer } from "../../src/domain/JournalRecord.ts"
import { RecentChunks } from "../../src/journal/RecentChunks.ts"
import { seen } from "./fixtures.ts"

const number = makeNumberer("node")
const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))

describe("the newest chunks in memory", () => {
  it.prop(
    "are whole, follow any place they reach back to, and are never many more than the limit",
    [Schema.Array(Count), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))],
    ([counts, limit]) => {
      const recent = new RecentChunks(limit)
      let seq = 100
      const sizes: Array<number> = []
      for (const count of counts) {
        const records = Array.from({ length: count }, () => number(seen(seq), ++seq))
        recent.add({ records, end: { seq, file: "file", byteOffset: seq * 10 } })
        sizes.push(count)
        // What must be remembered: the newest chunk, and as many before it as fit under the limit.
        let kept = sizes.at(-1) ?? 0
        for (const size of sizes.slice(0, -1).reverse()) {
          if (kept + size > limit) break
          kept += size
        }
        for (let from = 99; from <= seq + 1; from++) {
          const chunk = recent.after(from)
          if (from < seq - kept || from >= seq) assert.isUndefined(chunk, `after ${from} of ${seq}`)
          else {
            assert.strictEqual(chunk?.records[0]?.seq, from + 1)
            const last = chunk?.records.at(-1)?.seq ?? 0
            assert.deepStrictEqual(chunk?.end, { seq: last, file: "file", byteOffset: last * 10 })
          }
        }
      }
    },
    { arbitrary: { runs: 60, size: 25 } }
  )

  it("are none before the first append", () => {
    assert.isUndefined(new RecentChunks(10).after(0))
  })
})
