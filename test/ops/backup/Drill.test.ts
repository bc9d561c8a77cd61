import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { Disk } from "../../../src/journal/Disk.ts"
import { FolderLock } from "../../../src/journal/FolderLock.ts"
import { drill, type DrillOptions, type DrillReport, newestDayAt } from "../../../src/ops/backup/drill.ts"
import { migrated } from "../../sql/fixtures.ts"
import { sha256 } from "../../support/archive.ts"
import { backup, flipBit, openStage, type Stage, targetOf } from "./stage.ts"

const run = ({ dataDir, stateDir, targetDir }: Stage, more: Partial<DrillOptions> = {}) => {
  const target = targetOf(targetDir)
  return drill({ target, day: "2025/11/20", dataDir, stateDir, low_bytes: 0, makeTables: migrated, ...more })
}

/** A database that forgets the rows of one symbol. */
const forgetting = Effect.gen(function* () {
  yield* migrated
  const sql = yield* SqlClient.SqlClient
  yield* sql`create function forget() returns trigger language plpgsql as
    'begin if new.symbol = ''0001'' then return null; end if; return new; end'`
  yield* sql`create trigger forget before insert on pattern_records for each row execute function forget()`
})

const kindsOf = ({ wrong }: DrillReport) => [...new Set(wrong.map(({ what }) => what))]

describe("a drill", () => {
  it.live(
    "passes when the day can be had back, hour by hour, and leaves only its report",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, stage.targetDir)
        const report = yield* run(stage)
        assert.deepStrictEqual([report.wrong, report.ok, report.live], [[], true, "compared"])
        assert.deepStrictEqual(
          report.hours.map(({ hour, liveLines, manifestLines, readLines, rows, toStore }) => [
            hour,
            manifestLines,
            liveLines,
            readLines,
            toStore,
            rows
          ]),
          [
            ["08", 2, 2, 2, 0, 0],
            ["09", 120, 120, 120, 120, 120],
            ["10", 120, 120, 120, 120, 120],
            ["11", 120, 120, 120, 120, 120]
          ]
        )
        const left = readdirSync(join(stage.stateDir, "backup"))
        assert.deepStrictEqual(
          left.filter((name) => name.startsWith("drill")),
          ["drill.json"]
        )
        assert.deepStrictEqual(JSON.parse(readFileSync(join(stage.stateDir, "backup/drill.json"), "utf8")), report)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer)),
    60_000
  )

  it.live(
    "fails when a file is missing, a bit is flipped, lines were taken out with every hash made anew, or a row is not stored",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, stage.targetDir)
        const { day, line } = stage.sealed[1] ?? assert.fail("there is no second file")
        const path = join(stage.targetDir, day, line.gzip?.file ?? "")
        const whole = readFileSync(path)

        flipBit(path, 40)
        const flipped = yield* run(stage)
        assert.isFalse(flipped.ok)
        assert.includeMembers(kindsOf(flipped), ["restore", "verify", "lines"])

        rmSync(path)
        const missing = yield* run(stage)
        assert.isFalse(missing.ok)
        assert.include(missing.wrong[0]?.detail ?? "", line.gzip?.file ?? "none")

        // Somebody takes the last line out, and makes every list of the target fit.
        const shorter = gunzipSync(whole)
          .toString()
          .split("\n")
          .slice(0, -2)
          .map((each) => `${each}\n`)
          .join("")
        const packed = gzipSync(shorter)
        writeFileSync(path, packed)
        const changed = {
          ...line,
          lines: line.lines - 1,
          lastSeq: line.lastSeq - 1,
          bytes: Buffer.byteLength(shorter),
          sha256: sha256(shorter),
          gzip: { file: line.gzip?.file ?? "", bytes: packed.length, sha256: sha256(packed) }
        }
        const edit = (name: string, from: string, to: string) => {
          const list = join(stage.targetDir, day, name)
          const before = readFileSync(list, "utf8")
          assert.include(before, from)
          writeFileSync(list, before.replace(from, to))
          return () => writeFileSync(list, before)
        }
        const undo = [
          edit("MANIFEST.jsonl", JSON.stringify(line), JSON.stringify(changed)),
          edit("SHA256SUMS", line.gzip?.sha256 ?? "", changed.gzip.sha256)
        ]
        const doctored = yield* run(stage)
        assert.isFalse(doctored.ok)
        assert.include(kindsOf(doctored), "live journal")

        undo.forEach((each) => each())
        writeFileSync(path, whole)
        const short = yield* run(stage, { makeTables: forgetting })
        assert.isFalse(short.ok)
        assert.deepStrictEqual(kindsOf(short), ["rows"])
        assert.deepStrictEqual(
          short.hours.map(({ rows }) => rows),
          [0, 60, 60, 60]
        )
        assert.isFalse(readdirSync(join(stage.stateDir, "backup")).some((name) => name.includes("drill-")))
        assert.isTrue(existsSync(join(stage.stateDir, "backup/drill.json")))
      }).pipe(Effect.scoped, Effect.provide(Disk.layer)),
    120_000
  )

  it.live(
    "removes what killed drills have left, and may have its folder elsewhere",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, stage.targetDir)
        const scratchDir = join(stage.folder, "elsewhere")
        for (const name of ["observer-drill-Ab12Cd/data", "drill-notes"]) {
          mkdirSync(join(scratchDir, name), { recursive: true })
        }
        const seen: Array<ReadonlyArray<string>> = []
        const onStep = () => Effect.sync(() => void seen.push(readdirSync(scratchDir)))
        const report = yield* run(stage, { scratchDir, onStep })
        assert.isTrue(report.ok)
        assert.isTrue(seen.every((names) => names.some((name) => name.startsWith("observer-drill-"))))
        assert.deepStrictEqual(
          readdirSync(scratchDir).filter((name) => !name.startsWith(".lock")),
          ["drill-notes"]
        )
        assert.isTrue(existsSync(join(stage.stateDir, "backup/drill.json")))
      }).pipe(Effect.scoped, Effect.provide(Disk.layer)),
    120_000
  )

  it.live(
    "is refused, with nothing written, where it would take room that the record needs, or another drill runs",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        yield* backup(stage, stage.targetDir)
        const { bavail, bsize } = statfsSync(stage.stateDir)
        // A file that takes no room here, and would there.
        const manifest = join(stage.dataDir, "2025/11/20/MANIFEST.jsonl")
        const text = readFileSync(manifest, "utf8")
        writeFileSync(manifest, text.replace(/"bytes":\d+/, `"bytes":${Math.ceil((bavail * bsize) / 2)}`))
        const refused = yield* Effect.flip(run(stage, { low_bytes: 1_000_000_000 }))
        assert.strictEqual(refused._tag, "NoRoomToDrill")
        assert.match(refused.message, /a drill of 2025-11-20 takes about .* are free and .* are kept .* --scratch/)
        assert.isFalse(readdirSync(join(stage.stateDir, "backup")).some((name) => name.includes("drill")))
        writeFileSync(manifest, text)
        yield* FolderLock.acquire(join(stage.stateDir, "backup"), "drill")
        assert.strictEqual((yield* Effect.flip(run(stage)))._tag, "FolderLocked")
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("takes the newest day that is whole at the target", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir, stateDir, targetDir } = stage
      const target = targetOf(targetDir)
      const newest = (before: string) => newestDayAt({ target, dataDir, stateDir, before })
      assert.isUndefined(yield* newest("9999/99/99"))
      yield* backup(stage, targetDir)
      assert.strictEqual(yield* newest("9999/99/99"), "2025/11/21")
      assert.strictEqual(yield* newest("2025/11/21"), "2025/11/20")
      const receipts = join(stateDir, "backup/receipts.jsonl")
      writeFileSync(receipts, readFileSync(receipts, "utf8").replaceAll(/^.*2025\/11\/21\/10\/.*\n/gm, ""))
      assert.strictEqual(yield* newest("9999/99/99"), "2025/11/20")
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})
