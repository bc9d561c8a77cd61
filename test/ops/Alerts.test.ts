import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DeliveryFailed, type Channel } from "../../src/ops/alerts/Channel.ts"
import type { AlertMessage } from "../../src/ops/alerts/AlertMessage.ts"
import { alertStage, at } from "../support/alertStage.ts"
import { healthReport } from "../support/healthReport.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"

const fromMs = at("20261124", "100000")
const unwritable = () => healthReport({ journal: { ...healthReport().journal, writable: false, reason: "ENOSPC" } })
const well = () => healthReport()

describe("the engine of alarms", () => {
  it.effect("tells nothing again that was told before a restart, and tells that it is over", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk("/scene")
      disk.put("state/keep", Buffer.from(""))
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const stage = yield* alertStage({ fromMs, disk })
          stage.scene.report = unwritable
          yield* stage.pass(60)
          return stage.told()
        })
      )
      assert.deepStrictEqual(first, ["fired journalUnwritable"])

      const second = yield* Effect.scoped(
        Effect.gen(function* () {
          const stage = yield* alertStage({ fromMs: fromMs + 300_000, disk: disk.afterKill() })
          stage.scene.report = unwritable
          yield* stage.pass(600)
          assert.deepStrictEqual(stage.told(), [])
          assert.deepInclude((yield* stage.firing)[0], {
            rule: "journalUnwritable",
            since: "2026-11-24T01:00:00.000Z",
            words: "ENOSPC"
          })
          stage.scene.report = well
          yield* stage.pass(20)
          return stage.events()
        })
      )
      assert.deepStrictEqual(
        second.map(({ duration_seconds, event, rule }) => [event, rule, duration_seconds]),
        [["recovered", "journalUnwritable", 902]]
      )

      const third = yield* alertStage({ fromMs: fromMs + 1_200_000, disk: disk.afterKill() })
      yield* third.pass(60)
      assert.deepStrictEqual(third.told(), [])
    })
  )

  it.effect("tells all the same when its memory is damaged or cannot be written", () =>
    Effect.gen(function* () {
      const disk = new MemoryDisk("/scene")
      disk.put("state/alerts.json", Buffer.from('{"v":1,"firing":[{"rule":'))
      const refused = { _tag: "Refused", code: "EROFS", done: 0 } as const
      disk.fault = ({ operation }) => (operation === "write" ? refused : undefined)
      const stage = yield* alertStage({ fromMs, disk })
      stage.scene.report = unwritable
      yield* stage.pass(60)
      assert.deepStrictEqual(stage.told(), ["fired journalUnwritable"])
      const said = (words: string) => stage.lines.filter((line) => line.includes(words)).length
      assert.strictEqual(said("which alarms were told cannot be read"), 1)
      assert.strictEqual(said("which alarms were told cannot be kept"), 1)
    })
  )

  it.effect("reminds of what lasts, and says when it comes and goes", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs })
      for (let times = 0; times < 3; times++) {
        stage.scene.report = unwritable
        yield* stage.pass(30)
        stage.scene.report = well
        yield* stage.pass(30)
      }
      assert.deepStrictEqual(
        stage.told().map((line) => line.split(" ")[0]),
        ["fired", "recovered", "fired", "recovered", "fired"]
      )
      assert.strictEqual(
        stage.events().at(-1)?.words,
        "ENOSPC; it comes and goes, and is told over once it has been gone for 15 min"
      )
      stage.scene.report = unwritable
      yield* stage.pass(3_600)
      assert.deepInclude(stage.events().at(-1), { event: "reminder", words: "ENOSPC" })
    })
  )

  it.effect("takes other limits, and leaves out what is off", () =>
    Effect.gen(function* () {
      const changes = new Map<string, number | "off">([
        ["staleSymbols", 50],
        ["journalUnwritable", "off"]
      ])
      const stage = yield* alertStage({ fromMs, changes })
      const coverage = (stale: number) => ({ symbols: 2_001, seen: 2_000, stale, unknown: ["ZZZZZZ"] })
      stage.scene.report = () => ({ ...unwritable(), coverage: coverage(900) })
      yield* stage.pass(600)
      assert.deepStrictEqual(stage.told(), [])
      stage.scene.report = () => ({ ...unwritable(), coverage: coverage(1_100) })
      yield* stage.pass(600)
      assert.deepStrictEqual(stage.told(), ["fired staleSymbols"])
    })
  )

  it.effect("is held up by no channel: one that hangs and one that fails leave the third its messages", () =>
    Effect.gen(function* () {
      const taken: Array<AlertMessage> = []
      const refused = new DeliveryFailed({ channel: "b", reason: "404", isRetryable: false })
      const channels: ReadonlyArray<Channel> = [
        { name: "a", send: () => Effect.never },
        { name: "b", send: () => Effect.fail(refused) },
        { name: "c", send: () => Effect.die("a defect") },
        { name: "d", send: (message) => Effect.sync(() => void taken.push(message)) }
      ]
      const stage = yield* alertStage({ fromMs, channels })
      stage.scene.report = unwritable
      yield* stage.pass(30)
      stage.scene.report = well
      yield* stage.pass(30)
      assert.deepStrictEqual(
        taken.flatMap(({ events }) => events.map(({ event }) => event)),
        ["fired", "recovered"]
      )
      assert.strictEqual(stage.lines.filter((line) => line.includes("alarms cannot be delivered")).length, 1)
    })
  )

  it.effect("needs no channel: alarms are log lines and in health all the same", () =>
    Effect.gen(function* () {
      const stage = yield* alertStage({ fromMs, channels: [] })
      stage.scene.report = unwritable
      yield* stage.pass(30)
      assert.include(stage.lines, "Error alarm: The journal cannot be written")
      assert.strictEqual((yield* stage.firing).length, 1)
    })
  )
})
