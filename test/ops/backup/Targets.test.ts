import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { load } from "../../../src/ops/backup/Receipts.ts"
import { isGood, totalOf } from "../../../src/ops/backup/BackupReport.ts"
import { verifyTarget } from "../../../src/ops/backup/verifyTarget.ts"
import { sha256 } from "../../support/archive.ts"
import { backup, filesBelow, flipBit, openStage, rcloneMissing, rsyncMissing, type Stage, targetOf } from "./stage.ts"

const kinds: ReadonlyArray<readonly [name: string, missing: string | undefined, address: (stage: Stage) => string]> = [
  ["a folder", undefined, ({ targetDir }) => targetDir],
  ["rsync", rsyncMissing, ({ targetDir }) => `rsync:${targetDir}`],
  ["rclone", rcloneMissing, ({ targetDir }) => `rclone::local:${targetDir}`]
]

for (const [name, missing, addressOf] of kinds) {
  describe.skipIf(missing !== undefined)(`a backup to ${name}`, () => {
    it.live("brings everything a restore needs, nothing else, and has a receipt for each", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, sealed, stateDir, targetDir } = stage
        const report = yield* backup(stage, addressOf(stage))
        assert.deepStrictEqual([report.failed, report.stopped], [[], undefined])
        const expected = [
          ...sealed.map(({ day, line }) => `${day}/${line.gzip?.file ?? line.file}`),
          ...["2025/11/20", "2025/11/21"].flatMap((day) => [`${day}/MANIFEST.jsonl`, `${day}/SHA256SUMS`]),
          ...filesBelow(dataDir).filter((file) => file.includes("universe-")),
          "logs/observer-20251120-1.log",
          "logs/observer.log",
          "quarantine/seoul-1-000000000001.jsonl.12.torn"
        ]
        assert.deepStrictEqual(filesBelow(targetDir), expected.toSorted())
        assert.strictEqual(readFileSync(join(targetDir, "logs/observer.log"), "utf8"), '{"m":1}\n{"m":2}\n')
        for (const day of ["2025/11/20", "2025/11/21"]) {
          execFileSync("sha256sum", ["-c", "--quiet", "SHA256SUMS"], { cwd: join(targetDir, day) })
        }
        const receipts = yield* load(stateDir)
        assert.deepStrictEqual([...receipts.keys()].toSorted(), expected.toSorted())
        for (const [file, [receipt]] of receipts) {
          const bytes = readFileSync(join(targetDir, file))
          assert.deepInclude(receipt, {
            target: targetOf(addressOf(stage)).name,
            bytes: bytes.length,
            sha256: sha256(bytes)
          })
        }

        const again = yield* backup(stage, addressOf(stage))
        assert.deepInclude(totalOf(again), { files: expected.length, present: expected.length, sent: 0, bytes: 0 })
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live("is found out when a bit flips there, and sends that file again", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { sealed, stateDir, targetDir } = stage
        yield* backup(stage, addressOf(stage))
        const [first] = sealed
        const file = `${first?.day}/${first?.line.gzip?.file}`
        const path = join(targetDir, file)
        const { atime, mtime } = statSync(path)
        const before = readFileSync(path)
        flipBit(path)
        utimesSync(path, atime, mtime)

        const verify = verifyTarget({ stateDir, target: targetOf(addressOf(stage)), selection: allDays })
        assert.deepStrictEqual((yield* verify).wrong, [{ file, found: "damaged" }])
        assert.isUndefined((yield* load(stateDir)).get(file))
        const mended = yield* backup(stage, addressOf(stage))
        assert.deepInclude(totalOf(mended), { sent: 1, failed: 0, bytes: before.length })
        assert.deepStrictEqual(readFileSync(path), before)
        assert.deepStrictEqual((yield* verify).wrong, [])
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live("does not put a file that is damaged here in the place of a good copy", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, sealed, stateDir, targetDir } = stage
        yield* backup(stage, addressOf(stage))
        const [first] = sealed
        const file = `${first?.day}/${first?.line.gzip?.file}`
        const good = readFileSync(join(targetDir, file))
        flipBit(join(dataDir, file))
        writeFileSync(join(stateDir, "backup/receipts.jsonl"), "")
        const report = yield* backup(stage, addressOf(stage))
        assert.deepStrictEqual(
          report.failed.map((each) => each.file),
          [file]
        )
        assert.isFalse(isGood(report))
        assert.deepStrictEqual(readFileSync(join(targetDir, file)), good)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )
  })
}
