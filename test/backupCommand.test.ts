import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { FolderLock } from "../src/journal/FolderLock.ts"
import type { DrillReport } from "../src/ops/backup/drill.ts"
import { filesBelow, flipBit, openStage, rcloneMissing, rsyncMissing } from "./ops/backup/stage.ts"
import { writeArchive } from "./support/archive.ts"
import { clockOf, quotes } from "./support/archivedDay.ts"
import { compiled } from "./support/compiled.ts"
import { runToEnd } from "./support/runToEnd.ts"
import { until } from "./support/virtualTime.ts"

const migrations = readdirSync("migrations").map((name) => `migrations/${name}`)

const staged = Effect.gen(function* () {
  const folder = yield* compiled(["src/cli.ts", "src/sql/embeddedWorker.ts", ...migrations])
  cpSync(join(folder, "migrations"), join(folder, "src/migrations"), { recursive: true })
  const stage = yield* openStage
  const env: Record<string, string> = {
    OBSERVER_DATA_DIR: stage.dataDir,
    OBSERVER_LOG_DIR: stage.logDir,
    OBSERVER_STATE_DIR: stage.stateDir,
    OBSERVER_BACKUP_TARGET: stage.targetDir,
    OBSERVER_GZIP_MINUTES: "off",
    DATABASE_URL: ""
  }
  const program = join(folder, "src", "cli.js")
  const observer = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
    runToEnd(program, args, { ...env, ...more })
  return { ...stage, env, observer, program }
})

/** A day of three files, the last of which is long and cannot be compressed. */
const writeLong = (dataDir: string) => {
  const at = clockOf("20251124")
  const filler = (hour: string) => (hour === "1100" ? randomBytes(15_000).toString("hex") : "")
  const drafts = ["0900", "1000", "1100"].flatMap((hour) =>
    quotes(["005930"], at(hour), at(hour) + 3_600_000).map((quote) => ({ ...quote, payload: { filler: filler(hour) } }))
  )
  return writeArchive(dataDir, drafts, { node: "seoul-1", firstSeq: 10_000 })
}

/** Starts a backup, and kills it the hard way as soon as something has happened. */
const killedOnce = Effect.fnUntraced(function* (program: string, env: Record<string, string>, happened: () => boolean) {
  const child = spawn(process.execPath, [program, "backup"], {
    cwd: dirname(program),
    env: { ...process.env, ...env },
    stdio: "ignore"
  })
  const over = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)))
  yield* until(() => happened() || child.exitCode !== null)
  child.kill("SIGKILL")
  assert.strictEqual(yield* Effect.promise(() => over), "SIGKILL", "the backup was over before it could be killed")
})

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0)

describe("observer backup, backup drill and restore", () => {
  it.live(
    "copy, find what is wrong, bring back, and say with exit codes how it went",
    () =>
      Effect.gen(function* () {
        const { dataDir, folder, observer, sealed, stateDir, targetDir } = yield* staged
        const dry = yield* observer(["backup", "--dry-run"])
        assert.deepInclude(dry, { code: 0, stderr: "" })
        assert.match(dry.stdout, /^journal +8 +0 +8 /m)
        assert.deepStrictEqual([readdirSync(targetDir), existsSync(join(stateDir, "backup"))], [[], false])

        const all = yield* observer(["backup"])
        assert.deepInclude(all, { code: 0, stderr: "" })
        assert.match(all.stdout, /^journal +8 +0 +8 +0 +0 /m)
        assert.match(all.stdout, /files sent and verified, .* in \d+\.\d s, .* ([kMG]B|bytes)\/s\n$/)
        const log = readFileSync(join(stateDir, "backup/transfers.jsonl"), "utf8")
        const events = log
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as { event: string; file?: string })
        assert.deepStrictEqual([events[0]?.event, events.at(-1)?.event], ["start", "end"])
        assert.deepStrictEqual(events.flatMap(({ file }) => file ?? []).toSorted(), filesBelow(targetDir))

        // An hour after the second day's last file: the compressor of a running observer is waited for, no other.
        const wall = new Date().toISOString().slice(0, 19)
        const soon = { OBSERVER_GZIP_MINUTES: "120", OBSERVER_CLOCK: `${wall}Z=2025-11-21T12:30:00x1` }
        const moved = join(folder, "moved")
        mkdirSync(moved)
        const later = yield* Effect.scoped(
          Effect.andThen(
            FolderLock.acquire(dataDir, "journal"),
            observer(["backup", "--target", moved, "--days", "2025-11-21"], soon)
          )
        )
        assert.deepInclude(later, { code: 0, stderr: "" })
        assert.match(later.stdout, /^journal +4 +0 +0 +4 +0 /m)
        assert.match(later.stdout, /^NOT THERE YET: 6 files wait .* a run from 14:10 in Seoul on sends them$/m)
        const now = yield* observer(["backup", "--target", moved, "--days", "2025-11-21"], soon)
        assert.match(now.stdout, /^journal +4 +0 +4 +0 +0 /m)
        const early = yield* observer(["backup", "drill", "--target", moved], soon)
        assert.strictEqual(early.code, 1)
        assert.include(early.stderr, "only today is at")
        assert.include(early.stderr, "it can be drilled tomorrow")

        const passed = yield* observer(["backup", "drill", "--day", "2025-11-20"])
        assert.strictEqual(passed.code, 0, passed.stderr)
        assert.match(passed.stdout, /^09 +120 +120 +120 +120 +120 +0$/m)

        const into = join(folder, "restored")
        const restored = yield* observer(["restore", "--days", "2025-11-20..2025-11-21", "--into", into])
        assert.deepInclude(restored, { code: 0, stderr: "" })
        assert.match(restored.stdout, /2 days, .*: every hash is right\n$/)

        const { day, line } = sealed[1] ?? assert.fail("there is no second file")
        const victim = `${day}/${line.gzip?.file}`
        flipBit(join(targetDir, victim))
        const wrong = yield* observer(["backup", "--verify"])
        assert.deepInclude(wrong, { code: 1, stderr: "" })
        assert.include(wrong.stdout, `DAMAGED ${victim}\n`)
        const failed = yield* observer(["backup", "drill", "--day", "2025-11-20"])
        assert.strictEqual(failed.code, 1)
        const report = JSON.parse(readFileSync(join(stateDir, "backup/drill.json"), "utf8")) as DrillReport
        assert.isFalse(report.ok)
        assert.match(failed.stdout, /it CANNOT be had back as it was/)
        assert.strictEqual((yield* observer(["backup"])).code, 0)
        assert.strictEqual((yield* observer(["backup", "--verify"])).code, 0)

        yield* FolderLock.acquire(join(stateDir, "backup"), "backup")
        const ends = yield* Effect.all(
          [
            observer(["backup"], { OBSERVER_BACKUP_TARGET: "" }),
            observer(["backup", "--days", "2025-11-20", "--from", "2025-11-20"]),
            observer(["backup", "--target", join(folder, "nowhere"), "--dry-run"]),
            observer(["backup"])
          ],
          { concurrency: 4 }
        )
        assert.deepStrictEqual(
          ends.map(({ code }) => code),
          [64, 64, 69, 73]
        )
        assert.match(ends[0].stderr, /OBSERVER_BACKUP_TARGET is not set: .* or give --target\n$/)
        assert.match(ends[2].stderr, /there is no such folder: mount the disk, or make the folder/)
        assert.match(ends[3].stderr, /is in use by process \d+ \(backup\)/)
      }).pipe(Effect.scoped),
    400_000
  )

  it.live.skipIf(rsyncMissing !== undefined)(
    "go on after kill -9 in the middle of an rsync: what had arrived is not sent again",
    () =>
      Effect.gen(function* () {
        const { dataDir, env, folder, observer, program, targetDir } = yield* staged
        const sealed = writeLong(dataDir)
        const long = sealed.at(-1) ?? assert.fail("there is no long file")
        const path = join(targetDir, long.day, long.line.file)
        // The real program, told how fast the line is, with a log of its own.
        const bin = join(folder, "bin")
        mkdirSync(bin)
        const log = join(folder, "rsync.log")
        const slow = join(bin, "rsync")
        const rsync = (more: string) =>
          writeFileSync(slow, `#!/bin/sh\nPATH="\${PATH#*:}"\nexec rsync ${more} --log-file='${log}' "$@"\n`)
        rsync("--bwlimit=50")
        chmodSync(slow, 0o755)
        const target = { OBSERVER_BACKUP_TARGET: `rsync:${targetDir}`, PATH: `${bin}:${process.env["PATH"]}` }

        const drafts = () =>
          existsSync(dirname(path))
            ? readdirSync(dirname(path)).filter((name) => name.startsWith(`.${basename(path)}`))
            : []
        const arrived = () => Math.max(0, ...drafts().map((name) => sizeOf(join(dirname(path), name))))
        yield* killedOnce(program, { ...env, ...target }, () => arrived() > 200_000)
        // Killed itself, it has left rsync behind, which would go on for half a minute.
        const kept = arrived()
        assert.isAbove(kept, 200_000)
        writeFileSync(log, "")
        rsync("")
        const second = yield* observer(["backup"], target)
        assert.strictEqual(second.code, 0, second.stderr)
        assert.include(second.stderr, "a killed backup has left a program running, which is ended")
        assert.deepStrictEqual(readFileSync(path), readFileSync(join(dataDir, long.day, long.line.file)))
        const sent = [...readFileSync(log, "utf8").matchAll(/sent (\d+) bytes/g)].map(([, bytes]) => Number(bytes))
        assert.isBelow(Math.max(...sent), long.line.bytes - kept / 2)
        assert.isFalse(existsSync(join(dirname(path), ".rsync-partial")))
        assert.strictEqual((yield* observer(["backup", "--verify"], target)).code, 0)
      }).pipe(Effect.scoped),
    240_000
  )

  it.live.skipIf(rcloneMissing !== undefined)(
    "go on after kill -9 in the middle of an rclone: what had arrived is not sent again",
    () =>
      Effect.gen(function* () {
        const { dataDir, env, observer, program, sealed: early, targetDir } = yield* staged
        const sealed = writeLong(dataDir)
        const long = sealed.at(-1) ?? assert.fail("there is no long file")
        const path = join(targetDir, long.day, long.line.file)
        const target = { OBSERVER_BACKUP_TARGET: `rclone::local:${targetDir}` }
        yield* killedOnce(program, { ...env, ...target, RCLONE_BWLIMIT: "100k" }, () => sizeOf(path) > 300_000)
        const [first] = early
        const whole = join(targetDir, first?.day ?? "", first?.line.gzip?.file ?? "")
        const { ctimeMs } = statSync(whole)

        const second = yield* observer(["backup"], target)
        assert.strictEqual(second.code, 0, second.stderr)
        assert.strictEqual(statSync(whole).ctimeMs, ctimeMs)
        assert.deepStrictEqual(readFileSync(path), readFileSync(join(dataDir, long.day, long.line.file)))
        assert.strictEqual((yield* observer(["backup", "--verify"], target)).code, 0)
      }).pipe(Effect.scoped),
    240_000
  )
})
