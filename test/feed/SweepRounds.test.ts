import { assert, describe, it } from "@effect/vitest"
import { SweepRounds } from "../../src/feed/sweep/SweepRounds.ts"

const nobody = () => false
const roundsOf = (...symbols: ReadonlyArray<string>) => {
  const rounds = new SweepRounds(0)
  for (const symbol of symbols) rounds.join(symbol)
  return rounds
}

describe("the rounds of a sweep", () => {
  it("are as many as everybody has been answered, however far some are ahead by a round", () => {
    const rounds = roundsOf("a", "b", "c")
    const answers = { a: 0, b: 0, c: 0 }
    let complete = 0
    for (const symbol of [..."abacbcbacacbbacbaccabcab"] as ReadonlyArray<"a" | "b" | "c">) {
      answers[symbol] += 1
      rounds.answered(symbol)
      if (rounds.completed(0, nobody) !== undefined) complete += 1
      assert.strictEqual(complete, Math.min(answers.a, answers.b, answers.c))
    }
  })

  it("are complete once everybody was answered or named, once each", () => {
    const rounds = roundsOf("a", "b")
    rounds.answered("a")
    rounds.answered("a")
    assert.isUndefined(rounds.completed(1, nobody))
    rounds.missed("b")
    const first = { number: 1, startedAtMs: 0, endedAtMs: 2, asked: 2, answered: 1, missing: ["b"] }
    assert.deepStrictEqual(rounds.completed(2, nobody), first)
    assert.isUndefined(rounds.completed(2, nobody))
    // The second answer of "a" came early, and is that of the second round.
    rounds.answered("b")
    const second = { number: 2, startedAtMs: 2, endedAtMs: 3, asked: 2, answered: 2, missing: [] }
    assert.deepStrictEqual(rounds.completed(3, nobody), second)
    rounds.answered("b")
    assert.isUndefined(rounds.completed(4, nobody))
  })

  it("do not wait for those that are absent, and count them when they are asked all the same", () => {
    const rounds = roundsOf("a", "x")
    rounds.answered("a")
    rounds.missed("x")
    rounds.completed(1, (symbol) => symbol === "x")
    rounds.missed("x")
    rounds.answered("a")
    assert.deepInclude(rounds.completed(2, nobody), { asked: 2, answered: 1, missing: ["x"] })
  })

  it("count a symbol that came after it was named as answered, and one that was named after it came too", () => {
    const rounds = roundsOf("a", "b")
    rounds.missed("a")
    rounds.answered("a")
    rounds.answered("b")
    rounds.missed("b")
    assert.deepInclude(rounds.completed(1, nobody), { asked: 2, answered: 2, missing: [] })
  })

  it("wait for who joins while they run, and not for who leaves", () => {
    const rounds = roundsOf("a", "b")
    rounds.answered("a")
    rounds.join("c")
    rounds.leave("b")
    assert.isUndefined(rounds.completed(1, nobody))
    rounds.answered("c")
    assert.deepInclude(rounds.completed(2, nobody), { asked: 2, answered: 2 })
  })

  it("begin anew when nobody asked for a while, under the same number", () => {
    const rounds = roundsOf("a", "b")
    rounds.answered("a")
    rounds.restart(100)
    rounds.answered("b")
    assert.isUndefined(rounds.completed(101, nobody))
    rounds.answered("a")
    assert.deepInclude(rounds.completed(102, nobody), { number: 1, startedAtMs: 100, asked: 2 })
  })

  it("are none while there is nobody", () => {
    assert.isUndefined(new SweepRounds(0).completed(1, nobody))
    const rounds = roundsOf("a")
    rounds.leave("a")
    assert.isUndefined(rounds.completed(1, nobody))
  })
})
