import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { DeadlineQueue } from "../../src/feed/DeadlineQueue.ts"

const drained = (queue: DeadlineQueue<string>) => {
  const all: Array<string> = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) all.push(item)
  return all
}

describe("a deadline queue", () => {
  it("gives the earliest first, and among equals who came first", () => {
    const queue = new DeadlineQueue<string>()
    for (const [item, deadline] of [
      ["late", 9],
      ["first", 1],
      ["second", 1],
      ["at once", Number.NEGATIVE_INFINITY]
    ] as const) {
      queue.put(item, deadline)
    }
    assert.strictEqual(queue.earliest, Number.NEGATIVE_INFINITY)
    assert.deepStrictEqual(drained(queue), ["at once", "first", "second", "late"])
    assert.isUndefined(queue.earliest)
    assert.isUndefined(queue.take())
  })

  it("holds a thing once: put in again it moves, taken out it is gone", () => {
    const queue = new DeadlineQueue<string>()
    queue.put("a", 1)
    queue.put("b", 2)
    queue.put("a", 3)
    assert.strictEqual(queue.size, 2)
    assert.strictEqual(queue.earliest, 2)
    queue.remove("b")
    assert.strictEqual(queue.earliest, 3)
    assert.deepStrictEqual(drained(queue), ["a"])
  })

  const Item = Schema.Literals(["a", "b", "c", "d", "e", "f"])
  const Step = Schema.Union([
    Schema.TaggedStruct("put", {
      item: Item,
      deadline: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
    }),
    Schema.TaggedStruct("remove", { item: Item }),
    Schema.TaggedStruct("take", {}),
    // Moves one thing so often that what it leaves behind must be cleared away.
    Schema.TaggedStruct("churn", {
      item: Item,
      times: Schema.Int.check(Schema.isBetween({ minimum: 60, maximum: 99 }))
    })
  ])

  it.prop(
    "does what a sorted list does",
    [Schema.Array(Step)],
    ([steps]) => {
      const queue = new DeadlineQueue<string>()
      let model: Array<{ readonly item: string; readonly deadline: number }> = []
      const put = (item: string, deadline: number) => {
        queue.put(item, deadline)
        // A stable sort keeps the order of coming among equals.
        model = [...model.filter((each) => each.item !== item), { item, deadline }].sort(
          (a, b) => a.deadline - b.deadline
        )
      }
      for (const step of steps) {
        switch (step._tag) {
          case "put":
            put(step.item, step.deadline)
            break
          case "churn":
            for (let turn = 0; turn < step.times; turn++) put(step.item, (turn * 7) % 10)
            break
          case "remove":
            queue.remove(step.item)
            model = model.filter(({ item }) => item !== step.item)
            break
          case "take":
            assert.strictEqual(queue.take(), model[0]?.item)
            model = model.slice(1)
        }
        assert.strictEqual(queue.size, model.length)
        assert.strictEqual(queue.earliest, model[0]?.deadline)
      }
      assert.deepStrictEqual(
        drained(queue),
        model.map(({ item }) => item)
      )
    },
    { arbitrary: { runs: 300, size: 60 } }
  )
})
