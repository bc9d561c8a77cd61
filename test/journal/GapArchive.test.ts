import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gap } from "../../src/feed/FeedRecord.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { GapArchive } from "../../src/journal/GapArchive.ts"
import { segmentFile } from "../../src/journal/SegmentName.ts"
import { chunk, line, machineDisk, node, openJournal, openMs, tempFolder } from "./fixtures.ts"

const hour_ms = 3_600_000
const hole = (fromMs: number, toMs: number) =>
  gap(toMs, { fromMs, toMs, cause: "disconnect", symbol: "005930" }, "main")

/** A journal, and a disk that counts the bytes read through it. */
const setUp = Effect.gen(function* () {
  yield* TestClock.setTime(openMs)
  const folder = yield* tempFolder
  const built = yield* Layer.build(Layer.fresh(machineDisk))
  const journal = yield* Effect.provideContext(openJournal(folder), built)
  const disk = Context.get(built, Disk)
  let read = 0
  const counting = {
    ...disk,
    readAt: (path: string, at: number, length: number) =>
      Effect.tap(disk.readAt(path, at, length), (bytes) => Effect.sync(() => (read += bytes.length)))
  }
  const archive = new GapArchive(folder)
  return {
    journal,
    folder,
    /** The beginnings of the holes it tells of, and the bytes that cost. */
    ask: Effect.fnUntraced(function* (day: string) {
      read = 0
      const records = yield* Effect.provideService(archive.gapsOf(day), Disk, counting)
      const holes = records.map(({ payload }) => Date.parse((payload as { readonly from: string }).from) - openMs)
      return { holes, read }
    })
  }
})

describe("the gaps of an archive", () => {
  it.effect("are found among everything else, once, and what was read is not read again", () =>
    Effect.gen(function* () {
      const { ask, journal } = yield* setUp
      assert.deepStrictEqual(yield* ask("20261124"), { holes: [], read: 0 })
      yield* journal.append([...chunk(1, 3_000), hole(openMs, openMs + 1_000), ...chunk(3_001, 10)])
      // What only looks like one is none.
      yield* journal.append([
        {
          kind: "reject",
          receivedAtMs: openMs,
          source: "kis-ws",
          payload: { reason: "frameShape", raw: '{"kind":"gap"}' }
        }
      ])
      const first = yield* ask("20261124")
      assert.deepStrictEqual(first.holes, [0])
      assert.isAbove(first.read, 300_000)
      yield* journal.append([hole(openMs + 5_000, openMs + 6_000)])
      const again = yield* ask("20261124")
      assert.deepStrictEqual(again.holes, [0, 5_000])
      assert.isBelow(again.read, 1_000)
    })
  )

  it.effect("of a day are told in the seven days after it too, in the next one there is, and in no later one", () =>
    Effect.gen(function* () {
      const { ask, folder } = yield* setUp
      for (const [at, { days, from }] of [
        { days: 0, from: 0 },
        { days: 3, from: 6 * hour_ms },
        { days: 7, from: 7 * hour_ms },
        { days: 8, from: 80 * hour_ms }
      ].entries()) {
        const writtenMs = openMs + days * 24 * hour_ms
        const file = join(folder, segmentFile(node, at + 1, writtenMs))
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, `${line(hole(openMs + from, writtenMs), at + 1)}\n`)
      }
      const hours = Effect.fnUntraced(function* (day: string) {
        return (yield* ask(day)).holes.map((from) => from / hour_ms)
      })
      // A cut of the first day that was over, and so told, days later is of that day.
      assert.deepStrictEqual(yield* hours("20261124"), [0, 6, 7])
      // Nothing was recorded that day, and who began again told of it.
      assert.deepStrictEqual(yield* hours("20261125"), [6, 7, 80])
      assert.deepStrictEqual(yield* hours("20261202"), [80])
      assert.deepStrictEqual(yield* hours("20261203"), [])
      assert.deepStrictEqual(yield* hours("20261001"), [0], "the next one there is, however far")
    })
  )

  it.effect("of days that were asked for in turn are remembered, until there are too many of them", () =>
    Effect.gen(function* () {
      const { ask, folder } = yield* setUp
      const lay = (day: string, count: number) => {
        const atMs = Date.parse(`${day}T01:00:00Z`)
        const file = join(folder, segmentFile(node, 1, atMs))
        mkdirSync(dirname(file), { recursive: true })
        const lines = Array.from({ length: count }, (_, at) => line(hole(atMs, atMs + at), at + 1))
        writeFileSync(file, `${lines.join("\n")}\n`)
      }
      lay("2026-10-01", 30_000)
      lay("2026-10-02", 1)
      lay("2026-10-20", 10)
      lay("2026-10-21", 1)
      lay("2026-11-10", 30_000)
      assert.isAbove((yield* ask("20261020")).read, 0)
      assert.isAbove((yield* ask("20261110")).read, 0)
      assert.deepStrictEqual([(yield* ask("20261020")).read, (yield* ask("20261110")).read], [0, 0])
      // The day of long ago is more than can be remembered beside these, but for itself.
      assert.strictEqual((yield* ask("20261001")).holes.length, 30_001)
      assert.strictEqual((yield* ask("20261001")).read, 0)
      assert.isAbove((yield* ask("20261110")).read, 0)
    })
  )

  it.effect("are the same when the file was sealed meanwhile", () =>
    Effect.gen(function* () {
      const { ask, journal } = yield* setUp
      yield* journal.append([hole(openMs, openMs + 1_000), ...chunk(1, 10)])
      assert.deepStrictEqual((yield* ask("20261124")).holes, [0])
      yield* journal.append([hole(openMs + 5_000, openMs + 6_000)])
      yield* journal.close
      assert.deepStrictEqual((yield* ask("20261124")).holes, [0, 5_000])
    })
  )
})
