import { assert, describe, it } from "@effect/vitest"
import { Context, Cron, DateTime, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs"
import { join } from "node:path"
import { MarketSession } from "../../../src/calendar/MarketSession.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { Backup, type BackupOptions, type BackupStatus } from "../../../src/ops/Backup.ts"
import { dueRun } from "../../../src/ops/backup/dueRun.ts"
import { receiptsFile } from "../../../src/ops/backup/Receipts.ts"
import { clockOf } from "../../support/archivedDay.ts"
import { filesBelow, openStage, type Stage, targetOf } from "./stage.ts"

const cron = Cron.parseUnsafe("30 20 * * *", DateTime.zoneMakeOffset(9 * 3_600_000))
const at = clockOf("20251124")

const open = Effect.fnUntraced(function* (stage: Stage, more: Partial<BackupOptions> = {}) {
  const { dataDir, logDir, stateDir, targetDir } = stage
  const folders = { dataDir, logDir, stateDir }
  const target = targetOf(targetDir)
  const options: BackupOptions = { ...folders, target, schedule: cron, age_hours: 30, gzip_minutes: "off", ...more }
  const layer = Layer.fresh(Backup.layer(options)).pipe(
    Layer.provide(Layer.mergeAll(Layer.fresh(MarketSession.layer("calendar")), Disk.layer))
  )
  return Context.get(yield* Layer.build(layer), Backup)
})

const seen = (backup: Context.Service.Shape<typeof Backup>) =>
  Effect.map(backup.status, (status) => status ?? assert.fail("there is no status"))

/** Waits, with the clock standing still, until a run has ended that began at an instant or later. */
const ended = Effect.fnUntraced(function* (backup: Context.Service.Shape<typeof Backup>, sinceMs: number) {
  const isOver = ({ lastRunAtMs = 0, runningSinceMs }: BackupStatus) =>
    lastRunAtMs >= sinceMs && runningSinceMs === undefined
  while (!isOver(yield* seen(backup)))
    yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
})

describe("the schedule of backups", () => {
  const runs = (startedAt: number, more: object = {}) => ({
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(startedAt + 60_000).toISOString(),
    failures: 0,
    waiting: 0,
    ...more
  })
  const due = (lastRuns: Parameters<typeof dueRun>[0]["runs"], nowMs: number, isFollowUp = false) =>
    dueRun({ cron, runs: lastRuns, gzip_minutes: 60, isFollowUp }, nowMs)

  it("is in market time, and makes up for what was missed", () => {
    const yesterday = clockOf("20251123")("2030")
    assert.deepStrictEqual(due(runs(yesterday), at("1200")), { _tag: "OnTime", atMs: at("2030") })
    assert.deepStrictEqual(due(runs(yesterday), at("2030")), { _tag: "OnTime", atMs: at("2030") })
    assert.deepStrictEqual(due(runs(yesterday), at("2041")), { _tag: "Beside", atMs: at("2030"), why: "missed" })
    const never = { failures: 0, waiting: 0 }
    assert.deepStrictEqual(due(never, at("1200")), { _tag: "Beside", atMs: yesterday, why: "missed" })
  })

  it("does not stand still until a time that a clock which ran ahead has left behind", () => {
    const ahead = clockOf("20261124")("2030")
    assert.deepStrictEqual(due(runs(ahead), at("2030")), { _tag: "OnTime", atMs: at("2030") })
    assert.deepStrictEqual(due(runs(ahead), at("2100")), { _tag: "Beside", atMs: at("2030"), why: "missed" })
    const endedAhead = { ...runs(at("2030"), { failures: 1 }), endedAt: new Date(ahead).toISOString() }
    assert.deepStrictEqual(due(endedAhead, at("2031")), { _tag: "Beside", atMs: at("2045"), why: "failed" })
  })

  it("tries a failed run again, ever later, and finishes once what waited to be compressed", () => {
    const began = at("2030")
    const again = (failures: number) => (due(runs(began, { failures }), began + 120_000).atMs - began) / 60_000
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6, 60].map(again), [16, 31, 61, 121, 241, 361, 361])
    const waiting = runs(began, { waiting: 2 })
    assert.deepStrictEqual(due(waiting, began + 120_000), { _tag: "Beside", atMs: began + 71 * 60_000, why: "waiting" })
    const next = clockOf("20251125")("2030")
    assert.deepStrictEqual(due(waiting, began + 120_000, true), { _tag: "OnTime", atMs: next })
  })

  it.effect("backs up at its time, and its status tells the age of the oldest file that is not there", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* TestClock.setTime(at("1200"))
      const backup = yield* open(stage)
      const before = yield* seen(backup)
      const [oldest] = stage.sealed
      assert.strictEqual(before.age_seconds, Math.round((at("1200") - Date.parse(oldest?.line.sealedAt ?? "")) / 1_000))
      assert.deepInclude(before, { age_seconds_max: 108_000 })
      assert.strictEqual(before.unbacked.files, stage.sealed.length)
      assert.notProperty(before, "lastRunAtMs")

      // It was never made: but the market is at its busiest until 15:30.
      yield* Effect.forkScoped(backup.run)
      yield* TestClock.setTime(at("1529"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(filesBelow(stage.targetDir), [])
      yield* TestClock.setTime(at("1531"))
      yield* ended(backup, at("1530"))
      const after = yield* seen(backup)
      assert.deepInclude(after, { age_seconds: 0, unbacked: { files: 0, bytes: 0 } })
      assert.strictEqual(after.lastGoodAtMs, at("1531"))
      assert.isAbove(filesBelow(stage.targetDir).length, stage.sealed.length)
      yield* TestClock.setTime(at("2030"))
      yield* ended(backup, at("2030"))
    }).pipe(Effect.scoped)
  )

  it.effect("says why a run did not end well, and tries again when the target is there", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      rmSync(stage.targetDir, { recursive: true })
      yield* TestClock.setTime(at("2030"))
      const backup = yield* open(stage)
      yield* Effect.forkScoped(backup.run)
      yield* ended(backup, at("2030"))
      const failed = yield* seen(backup)
      assert.match(failed.reason ?? "", /there is no such folder: mount the disk/)
      assert.notProperty(failed, "lastGoodAtMs")
      assert.strictEqual(failed.failures, 1)
      assert.strictEqual(failed.nextRunAtMs, at("2045"))
      mkdirSync(stage.targetDir)
      yield* TestClock.setTime(at("2046"))
      yield* ended(backup, at("2045"))
      const good = yield* seen(backup)
      assert.notProperty(good, "reason")
      assert.strictEqual(good.unbacked.files, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("does not say that nothing waits when it could not look", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* TestClock.setTime(at("1200"))
      // Receipts that are a folder cannot be read.
      mkdirSync(receiptsFile(stage.stateDir), { recursive: true })
      const backup = yield* open(stage, { schedule: "off" })
      assert.isTrue((yield* seen(backup)).isUnreadable)
      rmSync(receiptsFile(stage.stateDir), { recursive: true })
      yield* TestClock.setTime(at("1201"))
      const later = yield* seen(backup)
      assert.notProperty(later, "isUnreadable")
      assert.strictEqual(later.unbacked.files, stage.sealed.length)
    }).pipe(Effect.scoped)
  )

  it.effect("left to a timer outside it starts nothing, and knows what that has done", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* TestClock.setTime(at("2000"))
      const backup = yield* open(stage, { schedule: "off" })
      yield* Effect.forkScoped(backup.run)
      yield* TestClock.setTime(at("2100"))
      yield* Effect.yieldNow
      assert.deepStrictEqual(filesBelow(stage.targetDir), [])
      assert.notProperty(yield* seen(backup), "nextRunAtMs")
    }).pipe(Effect.scoped)
  )

  it.effect("has one thread hang with the memory of its runs, and not one more with each look", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* TestClock.setTime(at("1200"))
      const memory = join(stage.stateDir, "backup", "runs.json")
      mkdirSync(join(stage.stateDir, "backup"), { recursive: true })
      if (spawnSync("mkfifo", [memory]).status !== 0) return console.log("skipped: there is no mkfifo")
      // Whoever opens it for both ends lets go of those who wait for one.
      yield* Effect.addFinalizer(() => Effect.sync(() => closeSync(openSync(memory, "r+"))))
      const calls = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith("FSReq")).length
      const before = calls()
      const backup = yield* open(stage)
      for (let looks = 0; looks < 6; looks++) {
        const look = yield* Effect.forkChild(seen(backup))
        yield* TestClock.adjust("31 seconds")
        assert.strictEqual((yield* Fiber.join(look)).target, targetOf(stage.targetDir).name)
        // The files are read before the memory is.
        for (let turns = 0; turns < 20; turns++) {
          yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
        }
      }
      assert.isAtMost(calls(), before + 1)
    }).pipe(Effect.scoped)
  )
})
