import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { verifyArchive } from "../../../src/journal/Verify.ts"
import { writeRetired } from "../../../src/journal/RetiredDay.ts"
import { isGood } from "../../../src/ops/backup/BackupReport.ts"
import { backupLines } from "../../../src/ops/backup/backupText.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { newestDayAt } from "../../../src/ops/backup/drill.ts"
import { makeSealedFiles } from "../../../src/ops/backup/inventory.ts"
import { restore } from "../../../src/ops/backup/restore.ts"
import { unbackedAt } from "../../../src/ops/backup/unbacked.ts"
import { backup, filesBelow, openStage, type Stage, targetOf } from "./stage.ts"

const day = "2025/11/20"

const filesOf = ({ sealed }: Stage) =>
  sealed.filter((each) => each.day === day).map(({ line }) => `${day}/${line.gzip?.file ?? line.file}`)

/** Deletes the files of the first day as the retention does. */
const retire = Effect.fnUntraced(function* (stage: Stage) {
  const files = filesOf(stage)
  const at = "2025-12-20T00:00:00.000Z"
  const retired = {
    v: 1,
    day: "2025-11-20",
    at,
    files: files.length,
    bytes: 1,
    backedUp: true,
    finishedAt: at
  } as const
  yield* writeRetired(stage.dataDir, day, retired)
  for (const file of new Set(files.map((each) => each.slice(0, 13))))
    rmSync(join(stage.dataDir, file), { recursive: true })
  return files
})

describe("a retired day", () => {
  it.live("is no failure at a target that never had it, nor after its receipts were lost, and is counted apart", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir, stateDir, targetDir } = stage
      yield* backup(stage, targetDir)
      const { length } = yield* retire(stage)
      assert.deepStrictEqual((yield* backup(stage, targetDir)).retired, { onlyThere: length, nowhere: 0 })
      rmSync(join(stateDir, "backup"), { recursive: true })
      const sealedFiles = makeSealedFiles(dataDir)
      const waiting = yield* unbackedAt(sealedFiles, stateDir, targetDir)
      assert.strictEqual(waiting.files, stage.sealed.length - length)
      const report = yield* backup(stage, targetDir)
      assert.isTrue(isGood(report), JSON.stringify(report.failed))
      assert.deepStrictEqual(report.retired, { onlyThere: 0, nowhere: length })
      assert.include(backupLines(report, false).join("\n"), `${length} files of retired days: deleted here`)
      assert.strictEqual(report.kinds.lists.waiting, 0)
      assert.strictEqual((yield* unbackedAt(sealedFiles, stateDir, targetDir)).files, 0)
      const target = targetOf(targetDir)
      assert.strictEqual(yield* newestDayAt({ target, dataDir, stateDir, before: "2025/11/21" }), day)
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("is looked at again when its files come back", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir, targetDir } = stage
      yield* backup(stage, targetDir)
      const sealedFiles = makeSealedFiles(dataDir)
      const { length } = yield* retire(stage)
      assert.strictEqual((yield* sealedFiles(allDays)).retired.length, length)
      yield* restore({ target: targetOf(targetDir), selection: allDays, into: dataDir, overwrite: true })
      assert.deepStrictEqual(
        yield* Effect.map(sealedFiles(allDays), ({ files, retired }) => [files.length, retired.length]),
        [stage.sealed.length, 0]
      )
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live(
    "is so where it was deleted alone: neither a copy nor a day that was brought back excuses what is missing",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, folder, targetDir } = stage
        yield* backup(stage, targetDir)
        const [file = ""] = yield* retire(stage)
        yield* backup(stage, targetDir)
        assert.deepStrictEqual(
          filesBelow(targetDir).filter((each) => each.includes("RETIRED")),
          []
        )
        assert.deepStrictEqual((yield* verifyArchive({ dataDir })).problems, [])
        // One of an older version.
        writeFileSync(join(targetDir, day, "RETIRED.json"), readFileSync(join(dataDir, day, "RETIRED.json")))
        for (const into of [join(folder, "restored"), dataDir]) {
          yield* restore({ target: targetOf(targetDir), selection: allDays, into, overwrite: true })
          rmSync(join(into, file))
          const { problems } = yield* verifyArchive({ dataDir: into })
          assert.isTrue(problems.some((each) => each.file === file && each.kind === "missingFile"))
        }
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("excuses no file that was sealed after it was over", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir } = stage
      const files = yield* retire(stage)
      const path = join(dataDir, day, "MANIFEST.jsonl")
      const lines = readFileSync(path, "utf8").split("\n")
      lines[0] = (lines[0] ?? "").replace(/"sealedAt":"[^"]*"/, '"sealedAt":"2025-12-21T00:00:00.000Z"')
      writeFileSync(path, lines.join("\n"))
      const missing = (yield* verifyArchive({ dataDir })).problems.filter(({ kind }) => kind === "missingFile")
      assert.deepStrictEqual(
        missing.map(({ file }) => file),
        files.slice(0, 1)
      )
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})
