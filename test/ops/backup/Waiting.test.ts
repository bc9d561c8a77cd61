import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { compressFile } from "../../../src/journal/compressor/compressFile.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { enterCompressed, readManifest } from "../../../src/journal/Manifest.ts"
import { batchesOf } from "../../../src/ops/backup/planSealed.ts"
import { clockOf } from "../../support/archivedDay.ts"
import { backup, filesBelow, openStage, type Stage } from "./stage.ts"

const day = "2025/11/21"

/** Compresses the plain files of the second day, as the observer does. */
const compress = Effect.fnUntraced(function* ({ dataDir }: Stage) {
  for (const line of yield* readManifest(dataDir, day)) {
    yield* enterCompressed(dataDir, day, line, yield* compressFile(dataDir, day, line))
  }
})

const sumsHold = (folder: string) => execFileSync("sha256sum", ["-c", "--quiet", "SHA256SUMS"], { cwd: folder })

describe("a file that is about to be compressed", () => {
  it.effect("is waited for, and sent once in the form it keeps; its lists follow when all of them are there", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir, targetDir } = stage
      yield* TestClock.setTime(clockOf("20251121")("1230"))
      const first = yield* backup(stage, targetDir, { gzip_minutes: 60 })
      assert.deepInclude(first.kinds.journal, { files: 8, sent: 4, waiting: 4 })
      assert.deepInclude(first.kinds.lists, { files: 4, sent: 2, waiting: 2 })
      assert.isFalse(existsSync(join(targetDir, day, "MANIFEST.jsonl")))
      sumsHold(join(targetDir, "2025/11/20"))

      yield* compress(stage)
      const second = yield* backup(stage, targetDir, { gzip_minutes: 60 })
      assert.deepInclude(second.kinds.journal, { files: 8, present: 4, sent: 4, waiting: 0 })
      const there = filesBelow(join(targetDir, day)).filter((file) => file.includes(".jsonl") && !file.includes("MANI"))
      assert.isTrue(there.length === 4 && there.every((file) => file.endsWith(".gz")))
      sumsHold(join(targetDir, day))
      const manifest = (root: string) => readFileSync(join(root, day, "MANIFEST.jsonl"), "utf8")
      assert.strictEqual(manifest(targetDir), manifest(dataDir))
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.effect("is sent plain when the compressor is hours late, and again when it is compressed after all", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { targetDir } = stage
      yield* TestClock.setTime(clockOf("20251121")("2030"))
      const late = yield* backup(stage, targetDir, { gzip_minutes: 60 })
      assert.deepInclude(late.kinds.journal, { sent: 8, waiting: 0 })
      sumsHold(join(targetDir, day))
      yield* compress(stage)
      const after = yield* backup(stage, targetDir, { gzip_minutes: 60 })
      assert.deepInclude(after.kinds.journal, { present: 4, sent: 4 })
      sumsHold(join(targetDir, day))
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it("is one of a batch of bounded size, and a file that is bigger has its own", () => {
    const mb = 1024 * 1024
    const sizes = [200, 50, 10, 300, 1, 1].map((each) => ({ bytes: each * mb }))
    assert.deepStrictEqual(
      batchesOf(sizes).map((batch) => batch.map(({ bytes }) => bytes / mb)),
      [[200, 50], [10], [300], [1, 1]]
    )
    assert.deepStrictEqual(
      batchesOf(Array.from({ length: 401 }, () => ({ bytes: 0 }))).map(({ length }) => length),
      [200, 200, 1]
    )
  })
})
