import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { appendFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { newestRecord } from "../../src/journal/newestRecord.ts"
import { chunk, machineDisk, node, openJournal, openMs, tempFolder } from "./fixtures.ts"

const scene = Effect.andThen(TestClock.setTime(openMs), tempFolder)

/** The path of the one file that is being written. */
const openFile = (folder: string) => {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(".open"))
  return join(folder, found ?? "none")
}

describe("the newest record of a folder", () => {
  it.effect(
    "is the journal's head after every append and every seal, beside the writer, with its hint and without",
    () =>
      Effect.gen(function* () {
        const folder = yield* scene
        assert.isUndefined(yield* newestRecord(folder, node))
        const journal = yield* openJournal(folder, { segment_bytes: 2_000 })
        for (let first = 1; first < 60; first += 7) {
          yield* journal.append(chunk(first, 7))
          const { seq } = yield* journal.head
          const found = yield* newestRecord(folder, node)
          assert.strictEqual(found?.seq, seq)
          assert.strictEqual(found?.receivedAt, new Date(openMs + first + 6).toISOString())
        }
        rmSync(join(folder, `.head-${node}`))
        assert.strictEqual((yield* newestRecord(folder, node))?.seq, (yield* journal.head).seq)
        assert.isUndefined(yield* newestRecord(folder, "another"))
        yield* journal.close
        const closed = yield* newestRecord(folder, node)
        assert.deepInclude(closed, { seq: 63, open: false })
      }).pipe(Effect.provide(machineDisk))
  )

  it.effect("is the last whole line of a file that a kill has left, however long it is", () =>
    Effect.gen(function* () {
      const folder = yield* scene
      const journal = yield* openJournal(folder)
      yield* journal.append(chunk(1, 3))
      yield* journal.append(chunk(4, 1, "x".repeat(200_000)))
      const file = openFile(folder)
      appendFileSync(file, '{"v":1,"seq":5,"id":"torn')
      assert.deepInclude(yield* newestRecord(folder, node), { seq: 4, open: true })
      writeFileSync(file, "")
      assert.isUndefined(yield* newestRecord(folder, node))
    }).pipe(Effect.provide(machineDisk))
  )
})
