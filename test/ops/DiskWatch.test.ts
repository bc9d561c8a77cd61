import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import type { DiskError } from "../../src/journal/Disk.ts"
import { Journal } from "../../src/journal/Journal.ts"
import { DiskWatch, type FolderStatus } from "../../src/ops/DiskWatch.ts"
import { Retention } from "../../src/ops/Retention.ts"
import { memoryJournal } from "../support/memoryJournal.ts"
import { hasMounts, mounted } from "../support/mounts.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { origin } from "../../src/journal/Position.ts"

const mb = 1_000_000
const often = Schedule.spaced("50 millis")

/** A watch over folders in one place, and what it asked of the journal and the retention. */
const watching = Effect.fnUntraced(function* (
  folders: { readonly dataDir: string; readonly logDir: string; readonly stateDir: string },
  limits = { low_bytes: 0, stop_bytes: 0 }
) {
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true })
  const asked: { held: DiskError | undefined; hurries: number; looks: number } = {
    held: undefined,
    hurries: 0,
    looks: 0
  }
  const journal = Layer.effect(
    Journal,
    Effect.map(Journal, (inMemory) => ({
      ...inMemory,
      hold: (why: DiskError | undefined) => Effect.sync(() => void (asked.held = why)),
      status: Effect.sync(() => ({
        looks: asked.looks++,
        writable: true,
        head: origin,
        synced: origin,
        appended_bytes: 0,
        lastAppendAtMs: undefined,
        fsync_ms: undefined,
        waitingAppends: 0
      }))
    }))
  ).pipe(Layer.provide(memoryJournal().layer))
  const retention = Layer.succeed(Retention, {
    run: Effect.never,
    hurry: Effect.sync(() => void asked.hurries++),
    status: Effect.succeed({ days: 30, waitingForBackup: 2 })
  })
  const layer = DiskWatch.layer({ ...folders, ...limits }).pipe(
    Layer.provide([journal, retention, MarketSession.layer("always")])
  )
  const watch = Context.get(yield* Layer.build(layer), DiskWatch)
  yield* Effect.forkScoped(watch.run)
  const folder = (name: FolderStatus["name"]) =>
    Effect.map(watch.status, (status) => {
      const found = status?.folders.find((each) => each.name === name)
      if (found === undefined) throw new Error(`${name} is not watched`)
      return found
    })
  /** Waits until a folder is in a state. The clock is the machine's, for the folders are. */
  const becomes = (name: FolderStatus["name"], state: FolderStatus["state"]) =>
    Effect.repeat(folder(name), {
      schedule: often,
      until: (found) => found.state === state
    })
  /** Returns once each has been looked at. */
  const settles = Effect.repeat(folder("state"), {
    schedule: often,
    until: ({ free_bytes }) => free_bytes !== undefined
  })
  const looksAgain = Effect.suspend(() => {
    const seen = asked.looks
    return Effect.repeat(Effect.void, { schedule: often, until: () => asked.looks >= seen + 2 })
  })
  return { asked, becomes, folder, looksAgain, settles, watch }
})

const heldBy = ({ held }: { readonly held: DiskError | undefined }) => held?.message

const below = (parent: string) => ({
  dataDir: join(parent, "data"),
  logDir: join(parent, "log"),
  stateDir: join(parent, "state")
})

const fill = (folder: string, size_mb: number) =>
  writeFileSync(join(folder, "filler"), Buffer.alloc(size_mb * 1024 * 1024))

describe("the watch over the folders", { concurrent: true, timeout: 90_000 }, () => {
  it.live("says of each how much room there is, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const folders = below(yield* scratchFolder)
      const { asked, folder, settles, watch } = yield* watching(folders)
      yield* settles
      for (const name of ["data", "log", "state"] as const) {
        const { free_bytes, path, reason, state, total_bytes } = yield* folder(name)
        assert.strictEqual(state, "ok")
        assert.isUndefined(reason)
        assert.isTrue(total_bytes !== undefined && free_bytes !== undefined && free_bytes <= total_bytes)
        yield* Effect.repeat(
          Effect.sync(() => readdirSync(path)),
          { schedule: often, until: (names) => names.length === 0 }
        )
      }
      assert.isUndefined(asked.held)
      assert.deepStrictEqual((yield* watch.status)?.retention, { days: 30, waitingForBackup: 2 })
    })
  )

  it.live("tells of log and state folders that were removed or renamed, and makes them anew with their rights", () =>
    Effect.gen(function* () {
      const folders = below(yield* scratchFolder)
      const { becomes, settles } = yield* watching(folders)
      yield* settles
      rmSync(folders.stateDir, { recursive: true })
      renameSync(folders.logDir, `${folders.logDir}.away`)
      assert.include((yield* becomes("state", "missing")).reason, "was removed")
      yield* becomes("log", "missing")
      yield* becomes("state", "ok")
      yield* becomes("log", "ok")
      assert.strictEqual(statSync(folders.stateDir).mode & 0o777, 0o700)
    })
  )

  it.live(
    "tells of a data folder that was removed even where somebody has made it anew at once, and leaves it to the journal",
    () =>
      Effect.gen(function* () {
        const folders = below(yield* scratchFolder)
        const { asked, becomes, settles } = yield* watching(folders)
        yield* settles
        rmSync(folders.dataDir, { recursive: true })
        mkdirSync(folders.dataDir)
        assert.include((yield* becomes("data", "missing")).reason, "restore it from a backup")
        assert.isUndefined(asked.held)
        yield* becomes("data", "ok")
        rmSync(folders.dataDir, { recursive: true })
        yield* becomes("data", "missing")
        assert.isFalse(existsSync(folders.dataDir))
      })
  )

  it.live.skipIf(!hasMounts)(
    "holds the journal back before the disk is full, and lets it go when there is room again",
    () =>
      Effect.gen(function* () {
        const disk = yield* mounted(64)
        const outside = below(yield* scratchFolder)
        const folders = { ...outside, dataDir: join(disk.path, "data") }
        // Of so small a disk a sixteenth, 4.2 MB, is kept, and low is a quarter.
        const { asked, becomes, settles } = yield* watching(folders, { low_bytes: 1_024 * mb, stop_bytes: 128 * mb })
        yield* settles
        fill(disk.path, 52)
        assert.include((yield* becomes("data", "low")).reason, "OBSERVER_DISK_LOW_MB")
        assert.isUndefined(asked.held)
        assert.strictEqual(asked.hurries, 1)
        fill(disk.path, 61)
        assert.include((yield* becomes("data", "full")).reason, "OBSERVER_DISK_STOP_MB")
        assert.include(heldBy(asked), "free some space")
        assert.strictEqual(asked.hurries, 2)
        fill(disk.path, 64 - 1)
        rmSync(join(disk.path, "filler"))
        yield* becomes("data", "ok")
        assert.isUndefined(asked.held)
      })
  )

  it.live.skipIf(!hasMounts)("finds a disk full to the last byte, of any folder, by the write that fails", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(4)
      const outside = below(yield* scratchFolder)
      const { asked, becomes, settles } = yield* watching({ ...outside, stateDir: join(disk.path, "state") })
      yield* settles
      spawnSync("dd", ["if=/dev/zero", `of=${disk.path}/filler`, "bs=1M"], { stdio: "ignore" })
      assert.include((yield* becomes("state", "full")).reason, "ENOSPC")
      assert.isUndefined(asked.held)
      rmSync(join(disk.path, "filler"))
      yield* becomes("state", "ok")
    })
  )

  it.live.skipIf(!hasMounts)("finds a read-only disk without a write, and holds the journal back meanwhile", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(4)
      const { asked, becomes, settles } = yield* watching(below(disk.path))
      yield* settles
      disk.setReadOnly(true)
      assert.include((yield* becomes("data", "readOnly")).reason, "EROFS")
      yield* becomes("log", "readOnly")
      assert.include(heldBy(asked), "EROFS")
      disk.setReadOnly(false)
      yield* becomes("data", "ok")
      assert.isUndefined(asked.held)
    })
  )

  it.live.skipIf(!hasMounts)("tells of a disk that was unmounted, and makes no folder in its place", () =>
    Effect.gen(function* () {
      const disk = yield* mounted(4)
      const outside = below(yield* scratchFolder)
      const folders = { ...outside, logDir: disk.path, stateDir: join(disk.path, "state") }
      const { becomes, looksAgain, settles } = yield* watching(folders)
      yield* settles
      disk.unmount()
      assert.include((yield* becomes("log", "missing")).reason, "was unmounted")
      yield* becomes("state", "missing")
      yield* looksAgain
      assert.deepStrictEqual(readdirSync(disk.path), [])
      disk.mount()
      mkdirSync(join(disk.path, "state"))
      yield* becomes("log", "ok")
      yield* becomes("state", "ok")
    })
  )
})
