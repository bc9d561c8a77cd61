import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { FolderLock } from "../../../src/journal/FolderLock.ts"
import { startedAt } from "../../../src/journal/ProcessLife.ts"
import { verifyArchive } from "../../../src/journal/Verify.ts"
import { allDays, theseDays } from "../../../src/ops/backup/DaySelection.ts"
import { OrphanNote } from "../../../src/ops/backup/orphan.ts"
import { restore, type RestoreOptions } from "../../../src/ops/backup/restore.ts"
import { backup, filesBelow, flipBit, openStage, rcloneMissing, rsyncMissing, type Stage, targetOf } from "./stage.ts"

const kinds: ReadonlyArray<readonly [name: string, missing: string | undefined, address: (stage: Stage) => string]> = [
  ["a folder", undefined, ({ targetDir }) => targetDir],
  ["rsync", rsyncMissing, ({ targetDir }) => `rsync:${targetDir}`],
  ["rclone", rcloneMissing, ({ targetDir }) => `rclone::local:${targetDir}`]
]

const back = (stage: Stage, address: string, more: Partial<RestoreOptions> = {}) =>
  restore({
    target: targetOf(address),
    selection: allDays,
    into: join(stage.folder, "restored"),
    overwrite: false,
    ...more
  })

for (const [name, missing, addressOf] of kinds) {
  describe.skipIf(missing !== undefined)(`a restore from ${name}`, () => {
    it.live("brings back an archive that verifies, and again does nothing", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, addressOf(stage))
        const into = join(stage.folder, "restored")
        const report = yield* back(stage, addressOf(stage))
        assert.deepStrictEqual([report.days, report.wrong], [["2025/11/20", "2025/11/21"], []])
        assert.deepStrictEqual(filesBelow(into), filesBelow(stage.targetDir))
        for (const file of filesBelow(into)) {
          assert.deepStrictEqual(readFileSync(join(into, file)), readFileSync(join(stage.targetDir, file)), file)
        }
        assert.deepStrictEqual((yield* verifyArchive({ dataDir: into })).problems, [])
        const again = yield* back(stage, addressOf(stage))
        assert.deepInclude(again, { present: stage.sealed.length, wrong: [] })
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live("of one day brings that day alone, and names what is damaged and what is missing at the target", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, addressOf(stage))
        const [first, second] = stage.sealed.map(({ day, line }) => `${day}/${line.gzip?.file ?? line.file}`)
        flipBit(join(stage.targetDir, first ?? ""))
        rmSync(join(stage.targetDir, second ?? ""))
        const days = theseDays(["2025/11/20", "2025/11/22"])
        const report = yield* back(stage, addressOf(stage), { selection: days })
        assert.deepStrictEqual(
          report.wrong.map(({ file }) => file),
          ["2025/11/22", second, first]
        )
        const restored = filesBelow(join(stage.folder, "restored"))
        assert.isTrue(restored.every((file) => file.startsWith("2025/11/20/")))
        assert.isFalse(restored.includes(first ?? "") || restored.includes(second ?? ""))
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )
  })
}

describe("a restore", () => {
  it.live("refuses to replace other content, or to leave a file without its list, unless it is asked to", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* backup(stage, stage.targetDir)
      const into = join(stage.folder, "restored")
      const [first] = stage.sealed
      const file = `${first?.day}/${first?.line.gzip?.file}`
      const foreign = "2025/11/20/09/other-1-000000000001.jsonl"
      for (const [path, text] of [
        [file, "other"],
        [foreign, "{}\n"]
      ] as const) {
        mkdirSync(join(into, path, ".."), { recursive: true })
        writeFileSync(join(into, path), text)
        const error = yield* Effect.flip(back(stage, stage.targetDir))
        assert.strictEqual(error._tag, "RestoreRefused")
        assert.include(error.message, path)
        assert.deepStrictEqual(filesBelow(into), [path])
        rmSync(join(into, path))
      }
      writeFileSync(join(into, file), "other")
      const report = yield* back(stage, stage.targetDir, { overwrite: true })
      assert.deepStrictEqual(report.wrong, [])
      assert.deepStrictEqual((yield* verifyArchive({ dataDir: into })).problems, [])
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("ends the program that a killed one has left running, and notes its own", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* backup(stage, stage.targetDir)
      const orphan = spawn("sleep", ["100"], { detached: true, stdio: "ignore" })
      const { pid = 0 } = orphan
      const ended = new Promise((resolve) => orphan.once("exit", (_, by) => resolve(by)))
      const into = join(stage.folder, "restored")
      mkdirSync(into)
      const started = yield* Effect.promise(() => startedAt(pid))
      writeFileSync(join(into, ".restore-child.json"), JSON.stringify({ pid, started }))
      let note: string | undefined
      const target = {
        ...targetOf(stage.targetDir),
        list: () => Effect.map(OrphanNote, (path) => ((note = path), []))
      }
      yield* back(stage, stage.targetDir, { target })
      assert.strictEqual(yield* Effect.promise(() => ended), "SIGTERM")
      assert.strictEqual(note, join(into, ".restore-child.json"))
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("of a place that has nothing does not pass for a good one", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const report = yield* back(stage, stage.targetDir)
      assert.deepStrictEqual(
        report.wrong.map(({ file }) => file),
        [stage.targetDir]
      )
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("never writes into a folder that an observer is using", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* backup(stage, stage.targetDir)
      yield* FolderLock.acquire(stage.dataDir, "journal")
      const error = yield* Effect.flip(back(stage, stage.targetDir, { into: stage.dataDir, overwrite: true }))
      assert.strictEqual(error._tag, "FolderLocked")
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("puts nothing outside its folder, whatever a target calls its files", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      yield* backup(stage, stage.targetDir)
      const manifest = join(stage.targetDir, "2025/11/20/MANIFEST.jsonl")
      writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll('"09/', '"../../../../../outside/09/'))
      const report = yield* back(stage, stage.targetDir)
      assert.isAbove(report.wrong.length, 0)
      assert.deepStrictEqual(
        filesBelow(stage.folder).filter((file) => file.includes("outside")),
        []
      )
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})
