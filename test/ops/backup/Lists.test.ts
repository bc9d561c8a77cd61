import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Disk } from "../../../src/journal/Disk.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { append } from "../../../src/ops/backup/Receipts.ts"
import { restore } from "../../../src/ops/backup/restore.ts"
import { backup, openStage, rcloneMissing, rsyncMissing, type Stage, targetOf } from "./stage.ts"

const kinds: ReadonlyArray<readonly [name: string, missing: string | undefined, address: (stage: Stage) => string]> = [
  ["a folder", undefined, ({ targetDir }) => targetDir],
  ["rsync", rsyncMissing, ({ targetDir }) => `rsync:${targetDir}`],
  ["rclone", rcloneMissing, ({ targetDir }) => `rclone::local:${targetDir}`]
]

const back = ({ folder }: Stage, address: string) =>
  restore({ target: targetOf(address), selection: allDays, into: join(folder, "restored"), overwrite: false })

const filesOf = ({ sealed }: Stage) => sealed.map(({ day, line }) => `${day}/${line.gzip?.file ?? line.file}`)

const first_lines = 1

for (const [name, missing, addressOf] of kinds) {
  describe.skipIf(missing !== undefined)(`the lists at a target that is ${name}`, () => {
    it.live("keep what was backed up before the data folder was lost, and what it has now is added", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, sealed, targetDir } = stage
        const day = "2025/11/21"
        const lists = ["MANIFEST.jsonl", "SHA256SUMS"].map((list) => join(dataDir, day, list))
        const whole = lists.map((path) => readFileSync(path, "utf8"))
        const linesOf = (text: string) => text.split("\n").slice(0, -1)
        const part = (from: number, to?: number) =>
          lists.forEach((path, index) =>
            writeFileSync(
              path,
              linesOf(whole[index] ?? "")
                .slice(from, to)
                .map((line) => `${line}\n`)
                .join("")
            )
          )
        const [firstOfDay] = sealed.filter((each) => each.day === day)
        // Before the loss the day had one file; after it only the others are here.
        part(0, first_lines)
        yield* backup(stage, addressOf(stage))
        part(first_lines)
        rmSync(join(dataDir, day, firstOfDay?.line.file ?? ""))
        yield* backup(stage, addressOf(stage))
        assert.strictEqual(readFileSync(join(targetDir, day, "MANIFEST.jsonl"), "utf8"), whole[0])
        execFileSync("sha256sum", ["-c", "--quiet", "SHA256SUMS"], { cwd: join(targetDir, day) })
        const report = yield* back(stage, addressOf(stage))
        assert.deepStrictEqual(report.wrong, [])
        for (const file of filesOf(stage)) {
          assert.deepStrictEqual(
            readFileSync(join(stage.folder, "restored", file)),
            readFileSync(join(targetDir, file))
          )
        }
        const again = yield* backup(stage, addressOf(stage))
        assert.strictEqual(again.kinds.lists.sent, 0)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )

    it.live("keep the line of a file that is gone here and whose receipt was revoked", () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { dataDir, stateDir, targetDir } = stage
        yield* backup(stage, addressOf(stage))
        const [file = ""] = filesOf(stage)
        const list = join(targetDir, file.slice(0, 10), "MANIFEST.jsonl")
        const before = readFileSync(list, "utf8")
        rmSync(join(dataDir, file))
        yield* append(stateDir, [{ at: "", target: targetOf(addressOf(stage)).name, file, bytes: 1, damaged: true }])
        yield* backup(stage, addressOf(stage))
        assert.strictEqual(readFileSync(list, "utf8").length, before.length)
        assert.deepStrictEqual((yield* back(stage, addressOf(stage))).wrong, [])
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )
  })
}

describe("a restore", () => {
  it.live("names the segments that no list at the target names, but not the other form of one that is named", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { targetDir } = stage
      yield* backup(stage, targetDir)
      const [file = ""] = filesOf(stage)
      writeFileSync(join(targetDir, file.slice(0, -3)), "{}\n")
      const lost = "2025/11/20/09/other-1-000000000001.jsonl"
      mkdirSync(join(targetDir, lost, ".."), { recursive: true })
      writeFileSync(join(targetDir, lost), "{}\n")
      const { wrong } = yield* back(stage, targetDir)
      assert.deepStrictEqual(
        wrong.map((each) => each.file),
        [lost]
      )
      assert.match(wrong[0]?.reason ?? "", /no list there names it/)
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})
