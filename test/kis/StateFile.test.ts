import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeStateFile, type StateFile } from "../../src/kis/StateFile.ts"
import { accountAt, leakIn } from "../support/accounts.ts"
import { scratchFolder } from "../support/virtualTime.ts"

const account = accountAt({ restUrl: "http://broker", wsUrl: "ws://broker" })
const Count = Schema.Struct({ count: Schema.Int })
type Count = typeof Count.Type
const startMs = Date.UTC(2026, 9, 1)

const fileIn = (folder: string) => makeStateFile(folder, "count", account, Count)
const scene = Effect.andThen(TestClock.setTime(startMs), scratchFolder)

const add = (file: StateFile<Count>) =>
  file.change((found) => {
    const count = found._tag === "Known" ? found.value.count + 1 : 1
    return [count, { count }]
  })
const onlyFile = (folder: string): string => {
  const names = readdirSync(folder)
  assert.strictEqual(names.length, 1, names.join(", "))
  return join(folder, names[0] ?? "")
}

describe("a state file", () => {
  it.effect("is nothing at first, then what was written last, in one file for its owner alone", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const file = fileIn(folder)
      assert.deepStrictEqual(yield* file.read, { _tag: "Nothing" })
      for (let count = 1; count <= 12; count++) assert.strictEqual(yield* add(file), count)
      assert.deepStrictEqual(yield* fileIn(folder).read, { _tag: "Known", value: { count: 12 } })
      assert.strictEqual(statSync(onlyFile(folder)).mode & 0o777, 0o600)
      assert.isUndefined(leakIn(onlyFile(folder)))
    })
  )

  it.effect("loses no change of many writers at once", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const counts = yield* Effect.all(
        Array.from({ length: 25 }, () => add(fileIn(folder))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        counts.toSorted((a, b) => a - b),
        Array.from({ length: 25 }, (_, index) => index + 1)
      )
    })
  )

  it.effect("is left whole by writers that are interrupted anywhere", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      for (let round = 0; round < 40; round++) {
        const writer = yield* Effect.forkChild(add(fileIn(folder)))
        for (let turn = 0; turn < round % 12; turn++) {
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        yield* Fiber.interrupt(writer)
        assert.notStrictEqual((yield* fileIn(folder).read)._tag, "Broken")
      }
      yield* add(fileIn(folder))
      assert.strictEqual((yield* fileIn(folder).read)._tag, "Known")
    })
  )

  it.effect("is not written when the decision changes nothing", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* add(fileIn(folder))
      const before = onlyFile(folder)
      assert.strictEqual(yield* fileIn(folder).change(() => ["looked", undefined]), "looked")
      assert.strictEqual(onlyFile(folder), before)
    })
  )

  for (const [name, text] of [
    ["empty", ""],
    ["cut", '{"cou'],
    ["of another shape", '{"count":"many"}'],
    ["binary", "\u0000\u0001"]
  ] as const) {
    it.effect(`is broken, not an error, when it is ${name}, and whole again after the next change`, () =>
      Effect.gen(function* () {
        const folder = yield* scene
        yield* add(fileIn(folder))
        writeFileSync(onlyFile(folder), text)
        assert.deepStrictEqual(yield* fileIn(folder).read, { _tag: "Broken", changedAtMs: startMs })
        yield* add(fileIn(folder))
        assert.deepStrictEqual(yield* fileIn(folder).read, { _tag: "Known", value: { count: 1 } })
        onlyFile(folder)
      })
    )
  }

  it.effect("is broken where a folder or a dangling link has taken its name", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* add(fileIn(folder))
      const next = onlyFile(folder).replace(".1.json", ".2.json")
      mkdirSync(next)
      assert.strictEqual((yield* fileIn(folder).read)._tag, "Broken")
      assert.strictEqual(yield* add(fileIn(folder)), 1)
      symlinkSync(join(folder, "nowhere"), next.replace(".2.json", ".9.json"))
      assert.strictEqual((yield* fileIn(folder).read)._tag, "Broken")
      assert.strictEqual((yield* Effect.flip(add(fileIn(folder))))._tag, "StateFileUnwritable")
    })
  )

  it.effect("takes what an older program left for the first version, and drafts of the dead for nothing", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      yield* add(fileIn(folder))
      const [name] = onlyFile(folder).split(".1.json")
      const other = yield* scratchFolder
      const base = join(other, (name ?? "").slice(folder.length + 1))
      writeFileSync(`${base}.json`, '{"count":7,"more":true}')
      writeFileSync(`${base}.0000.tmp`, "{")
      assert.strictEqual(yield* add(fileIn(other)), 8)
      assert.strictEqual(onlyFile(other), `${base}.1.json`)
    })
  )

  it.effect("says that the folder cannot be written", () =>
    Effect.gen(function* () {
      const taken = join(yield* scene, "state")
      writeFileSync(taken, "a file where the folder should be")
      assert.strictEqual((yield* fileIn(taken).read)._tag, "Broken")
      const error = yield* Effect.flip(add(fileIn(taken)))
      assert.strictEqual(error._tag, "StateFileUnwritable")
      assert.isUndefined(leakIn(error.message + JSON.stringify(error)))
    })
  )
})
