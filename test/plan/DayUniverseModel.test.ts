import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeUniverseStage, markersOf, preparedDisk, setMarket } from "./universeStage.ts"

const codes = ["005930", "000660", "0000Y0", "Q500001", "F70100030", "0001", "ZZZZZZ"] as const
const Codes = Schema.Array(Schema.Literals([...codes, "samsung"])).check(Schema.isMaxLength(3))
const Step = Schema.Union([
  Schema.TaggedStruct("add", { codes: Codes }),
  Schema.TaggedStruct("remove", { codes: Codes }),
  Schema.TaggedStruct("reload", { codes: Codes }),
  Schema.TaggedStruct("restart", {})
])

/** What the file says, and what was said by hand; the last word about a code counts. */
class Model {
  file: ReadonlyArray<string> = ["005930", "000660"]
  readonly byHand = new Map<string, "in" | "out">()

  observed(file = this.file, byHand: ReadonlyMap<string, "in" | "out"> = this.byHand): ReadonlySet<string> {
    const named = file.filter((code) => byHand.get(code) !== "out")
    return new Set([...named, ...[...byHand].flatMap(([code, where]) => (where === "in" ? [code] : []))])
  }

  /** Whether a step is accepted; if it is, it is taken. */
  take(step: typeof Step.Type): boolean {
    if (step._tag === "restart") return true
    const isReadable = step.codes.length > 0 && !step.codes.includes("samsung")
    if (!isReadable) return false
    if (step._tag === "reload") {
      if (this.observed(step.codes).size === 0) return false
      this.file = step.codes
      return true
    }
    if (step._tag === "remove" && step.codes.some((code) => !this.observed().has(code))) return false
    const next = new Map(this.byHand)
    for (const code of step.codes) next.set(code, step._tag === "add" ? "in" : "out")
    if (this.observed(this.file, next).size === 0) return false
    for (const [code, where] of next) this.byHand.set(code, where)
    return true
  }
}

describe("a universe under any sequence of changes and restarts", () => {
  it.effect.prop(
    "observes what its model does, refuses what it refuses, and says every change on record",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        yield* setMarket("20260722", "090000")
        const stage = yield* makeUniverseStage("http://127.0.0.1:1", preparedDisk())
        const path = join(mkdtempSync(join(tmpdir(), "observer-codes-")), "codes.txt")
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(join(path, ".."), { recursive: true })))
        const model = new Model()
        const write = (named: ReadonlyArray<string>) => writeFileSync(path, named.join("\n"))
        write(model.file)
        let universe = yield* stage.start({ _tag: "File", path })
        for (const step of steps) {
          const before = (yield* universe.current).symbols
          const isTaken = model.take(step)
          if (step._tag === "restart") {
            universe = yield* stage.start({ _tag: "File", path })
          } else {
            if (step._tag === "reload") write(step.codes)
            const change: Effect.Effect<unknown, unknown> =
              step._tag === "reload"
                ? universe.reload
                : universe.change({ add: [], remove: [], [step._tag]: step.codes })
            assert.strictEqual(Result.isSuccess(yield* Effect.result(change)), isTaken)
            // What a refused reload left behind would end a restart, as it should.
            write(model.file)
          }
          const { symbols } = yield* universe.current
          assert.sameMembers([...symbols], [...model.observed()])
          if (!isTaken) assert.deepStrictEqual(symbols, before)
        }
        // Each marker says what it changes of the one before; together they say what is observed.
        const told = new Set<string>()
        for (const [index, marker] of markersOf(stage).entries()) {
          const listed = marker["codes"] as ReadonlyArray<string>
          if (index === 0) for (const code of listed) told.add(code)
          for (const code of marker["added"] as ReadonlyArray<string>) told.add(code)
          for (const code of marker["removed"] as ReadonlyArray<string>) told.delete(code)
          assert.sameMembers([...told], [...listed])
        }
        if (told.size > 0) assert.sameMembers([...told], [...model.observed()])
      }),
    { arbitrary: { runs: 100, size: 12 } }
  )
})
