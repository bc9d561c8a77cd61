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

  it.effect("of a day are told in the next one there is too, and in no later one", () =>
    Effect.gen(function* () {
      const { ask, folder } = yield* setUp
      for (const [at, { days, from }] of [
        { days: 0, from: 0 },
        { days: 3, from: 6 * hour_ms },
        { days: 4, from: 80 * hour_ms }
      ].entries()) {
        const writtenMs = openMs + days * 24 * hour_ms
        const file = join(folder, segmentFile(node, at + 1, writtenMs))
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, `${line(hole(openMs + from, writtenMs), at + 1)}\n`)
      }
      assert.deepStrictEqual((yield* ask("20261124")).holes, [0, 6 * hour_ms])
      // Nothing was recorded that day, and who began again told of it.
      assert.deepStrictEqual((yield* ask("20261125")).holes, [6 * hour_ms])
      assert.deepStrictEqual((yield* ask("20261127")).holes, [6 * hour_ms, 80 * hour_ms])
      assert.deepStrictEqual((yield* ask("20261201")).holes, [])
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
