import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { type Alarm, quiet } from "../../../src/ops/alerts/Alarm.ts"
import { makeAlarmMemory } from "../../../src/ops/alerts/AlarmMemory.ts"
import { passUntil, scratchFolder, until } from "../../support/virtualTime.ts"

const firing: Alarm = { _tag: "firing", sinceMs: 1_000, firedAtMs: [2_000], toldAtMs: 2_000, reminders: 1 }
const alarms = new Map<string, Alarm>([
  ["sweepSilent", firing],
  ["sqlLag", { ...firing, _tag: "recovering", wellSinceMs: 3_000 }],
  ["backupOld", { _tag: "pending", sinceMs: 1_000, firedAtMs: [] }],
  ["conservation", quiet]
])

describe("the memory of alarms", () => {
  it.effect("has what was told after a restart, from a real folder", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const file = join(folder, "alerts.json")
      const first = yield* makeAlarmMemory(folder)
      assert.deepStrictEqual(yield* first.load, new Map())
      yield* Effect.forkScoped(first.run)
      yield* first.keep(alarms)
      yield* until(() => existsSync(file))
      const second = yield* makeAlarmMemory(folder)
      const expected: ReadonlyArray<readonly [string, Alarm]> = [
        ["sweepSilent", firing],
        ["sqlLag", firing]
      ]
      assert.deepStrictEqual(yield* second.load, new Map(expected))
    }).pipe(Effect.provide(Disk.layer))
  )

  it.effect("is written as soon as a folder that has vanished is back, the newest of it", () =>
    Effect.gen(function* () {
      const folder = join(yield* scratchFolder, "state")
      const memory = yield* makeAlarmMemory(folder)
      yield* Effect.forkScoped(memory.run)
      yield* memory.keep(alarms)
      yield* passUntil(() => true)
      yield* memory.keep(new Map([["sqlLag", firing]]))
      mkdirSync(folder)
      const file = join(folder, "alerts.json")
      yield* passUntil(() => existsSync(file), 1_000)
      assert.deepInclude(JSON.parse(readFileSync(file, "utf8")) as object, {
        firing: [{ rule: "sqlLag", sinceMs: 1_000, firedAtMs: [2_000], toldAtMs: 2_000, reminders: 1 }]
      })
      rmSync(folder, { recursive: true })
    }).pipe(Effect.provide(Disk.layer))
  )
})
