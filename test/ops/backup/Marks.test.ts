import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { isGood } from "../../../src/ops/backup/BackupReport.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { append, compact, load } from "../../../src/ops/backup/Receipts.ts"
import { verifyTarget } from "../../../src/ops/backup/verifyTarget.ts"
import { backup, filesBelow, openStage, rcloneMissing, rsyncMissing, type Stage, targetOf } from "./stage.ts"

const kinds: ReadonlyArray<readonly [name: string, missing: string | undefined, prefix: string]> = [
  ["a folder", undefined, ""],
  ["rsync", rsyncMissing, "rsync:"],
  ["rclone", rcloneMissing, "rclone::local:"]
]

const verify = ({ stateDir }: Stage, address: string) =>
  verifyTarget({ stateDir, target: targetOf(address), selection: allDays })

const empty = (folder: string): void => {
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
}

const revokeAll = Effect.fnUntraced(function* (stateDir: string) {
  const receipts = [...(yield* load(stateDir)).values()].flat()
  yield* append(
    stateDir,
    receipts.map(({ bytes, file, target }) => ({ at: "", target, file, bytes, damaged: true }))
  )
  yield* compact(stateDir, 0)
})

for (const [name, missing, prefix] of kinds) {
  describe.skipIf(missing !== undefined)(`a target that is ${name}`, () => {
    it.live("is not taken for itself when its disk is not mounted any more, and no receipt is revoked for it", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { stateDir, targetDir } = stage
        const address = `${prefix}${targetDir}`
        yield* backup(stage, address)
        assert.include(readdirSync(targetDir), ".observer-backup")
        const { size } = yield* load(stateDir)
        empty(targetDir)
        for (const attempt of [Effect.asVoid(backup(stage, address)), Effect.asVoid(verify(stage, address))]) {
          assert.match((yield* Effect.flip(attempt)).message, /it has no \.observer-backup.*mount the disk/)
        }
        assert.strictEqual((yield* load(stateDir)).size, size)
        // Not even when there is no receipt that holds any more.
        yield* revokeAll(stateDir)
        assert.strictEqual((yield* load(stateDir)).size, 0)
        assert.match((yield* Effect.flip(backup(stage, address))).message, /it has no \.observer-backup/)
        assert.deepStrictEqual(readdirSync(targetDir), [])
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live(
      "where everything, or every list, is missing revokes nothing, unless its empty mark says it is a new one",
      () =>
        Effect.gen(function* () {
          const stage = yield* openStage
          const { stateDir, targetDir } = stage
          const address = `${prefix}${targetDir}`
          yield* backup(stage, address)
          const files = filesBelow(targetDir)
          const mark = readFileSync(join(targetDir, ".observer-backup"))
          for (const gone of [files.filter((file) => /MANIFEST|SHA256SUMS/.test(file)), files]) {
            gone.forEach((file) => rmSync(join(targetDir, file), { force: true }))
            assert.match((yield* Effect.flip(verify(stage, address))).message, /every (list|file) is missing there/)
            assert.strictEqual((yield* load(stateDir)).size, files.length)
          }
          writeFileSync(join(targetDir, ".observer-backup"), "")
          assert.match((yield* Effect.flip(backup(stage, address))).message, /run observer backup --verify/)
          assert.strictEqual((yield* verify(stage, address)).wrong.length, files.length)
          assert.deepStrictEqual(readFileSync(join(targetDir, ".observer-backup")), mark)
          assert.isTrue(isGood(yield* backup(stage, address)))
          assert.deepStrictEqual(filesBelow(targetDir), files)
        }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live("must be there, and not be the data folder, in it or around it, by a link neither", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, folder } = stage
        symlinkSync(dataDir, join(folder, "link"))
        for (const path of [
          dataDir,
          join(dataDir, "2025"),
          folder,
          join(folder, "link"),
          join(folder, "link", "2025")
        ]) {
          const error = yield* Effect.flip(backup(stage, `${prefix}${path}`))
          assert.match(error.message, /lie in one another: name a folder on another disk/)
        }
        const error = yield* Effect.flip(backup(stage, `${prefix}${join(folder, "unmounted")}`))
        assert.match(error.message, /there is no such folder: mount the disk/)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )
  })
}
