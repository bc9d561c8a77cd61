import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schedule } from "effect"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { basename, delimiter, dirname, join } from "node:path"
import { withoutSecrets } from "../../../src/domain/Secrets.ts"
import { Disk } from "../../../src/journal/Disk.ts"
import { isAlive } from "../../../src/journal/ProcessLife.ts"
import type { HashedFile } from "../../../src/ops/backup/BackupTarget.ts"
import { ChildEnvironment, childEnvironment, runChild } from "../../../src/ops/backup/childProgram.ts"
import { allDays } from "../../../src/ops/backup/DaySelection.ts"
import { folderTarget } from "../../../src/ops/backup/folderTarget.ts"
import { listsFor } from "../../../src/ops/backup/snapshot.ts"
import { maskPasswords, scrubbed } from "../../../src/ops/backup/passwords.ts"
import { parseTarget } from "../../../src/ops/backup/targets.ts"
import { isGood } from "../../../src/ops/backup/BackupReport.ts"
import { load } from "../../../src/ops/backup/Receipts.ts"
import { restore } from "../../../src/ops/backup/restore.ts"
import { verifyTarget } from "../../../src/ops/backup/verifyTarget.ts"
import { describeProblem, loadSettings } from "../../../src/Settings.ts"
import { sha256 } from "../../support/archive.ts"
import { scratchFolder } from "../../support/virtualTime.ts"
import { backup, filesBelow, flipBit, openStage, rcloneMissing, rsyncMissing, targetOf } from "./stage.ts"

const wrongOf = (address: string) => Result.getOrElse(Result.flip(parseTarget(address)), () => "it is right")

const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    probe.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** A real rsync daemon over a folder, on loopback. */
const daemonOver = Effect.fnUntraced(function* (folder: string, path: string) {
  const port = yield* freePort
  const config = join(folder, "rsyncd.conf")
  const chroot = `use chroot = no\n${process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : ""}`
  writeFileSync(config, `${chroot}[copies]\npath = ${path}\nread only = no\n`)
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("rsync", ["--daemon", "--no-detach", `--port=${port}`, "--address=127.0.0.1", `--config=${config}`], {
        stdio: "ignore"
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const address = `rsync://127.0.0.1:${port}/copies`
  const isUp = Effect.map(
    Effect.orElseSucceed(runChild({ program: "rsync", args: [address], silence_seconds: 5 }), () => ({ code: 1 })),
    ({ code }) => code === 0
  )
  yield* Effect.repeat(isUp, { until: (up) => up, times: 200 })
  return address
})

/** A stand-in for ssh, as rsync's own tests have it: it runs the command in this machine's shell. */
const sshIn = (folder: string): string => {
  const bin = join(folder, "bin")
  mkdirSync(bin)
  const words = 'while [ "$1" = -o ]; do shift 2; done\n[ "$1" = "-l" ] && shift 2\nshift\nexec sh -c "$*"\n'
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\n${words}`)
  chmodSync(join(bin, "ssh"), 0o755)
  return bin
}

/** Puts a program's other self in front of it: `real` runs the right one. */
const inFrontOf = (folder: string, program: string, script: string) => {
  const bin = join(folder, `bin-${program}`)
  mkdirSync(bin)
  const real = execFileSync("which", [program], { encoding: "utf8" }).trim()
  writeFileSync(join(bin, program), `#!/bin/sh\nreal() { ${real} "$@"; }\n${script}\n`)
  chmodSync(join(bin, program), 0o755)
  const env = childEnvironment({ ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` })
  return <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, ChildEnvironment, env)
}

describe("a target's address", () => {
  it("is refused in a sentence when it is none", () => {
    const wrong = [
      "rsync:",
      "rsync:-e sh",
      "rsync:host:",
      "rsync://host",
      "rclone:",
      "rclone:drive",
      "rclone:-x:y",
      "~/copies"
    ]
    for (const address of wrong) assert.notStrictEqual(wrongOf(address), "it is right", address)
    for (const address of [
      "/mnt/nas",
      "rsync:me@nas:/volume1/copies",
      "rsync:/mnt",
      "rsync://nas/module",
      "rsync:nas::module",
      "rclone:drive:observer",
      "rclone::local:/mnt"
    ]) {
      assert.strictEqual(wrongOf(address), "it is right", address)
    }
  })

  it("is shown, and repeated in complaints, without its passwords", () => {
    const address = ":s3,access_key_id=AKIA,secret_access_key=s3cret:bucket"
    assert.strictEqual(targetOf(`rclone:${address}`).name, "rclone::s3,access_key_id=***,secret_access_key=***:bucket")
    assert.notInclude(scrubbed("cannot open s3cret at\nsftp://me:hidden@host/x", address), "s3cret")
    assert.notInclude(withoutSecrets("it said s3cret once"), "s3cret")
    // One that is no target for want of its last colon.
    const wrong = loadSettings({ OBSERVER_BACKUP_TARGET: "rclone::s3,secret_access_key=pl4nted" })
    const words = Result.isFailure(wrong) ? wrong.failure.map(describeProblem).join("\n") : ""
    assert.include(words, "OBSERVER_BACKUP_TARGET")
    assert.notInclude(words, "pl4nted")
    assert.notInclude(withoutSecrets("pl4nted"), "pl4nted")
    assert.strictEqual(maskPasswords("rsync://me:hidden@host/module"), "rsync://me:***@host/module")
    assert.strictEqual(maskPasswords("me@nas:/volume1/copies"), "me@nas:/volume1/copies")
  })
})

describe("the program of a target", () => {
  it.live("gets no key of ours, is ended with all it has started when it says nothing, and is missed", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      const env = childEnvironment({ ...process.env, KIS_APP_SECRET: "planted", OBSERVER_HTTP_TOKEN: "planted" })
      const printed = yield* Effect.provideService(
        runChild({ program: "env", args: [], silence_seconds: 20 }),
        ChildEnvironment,
        env
      )
      assert.notInclude(printed.stdout, "planted")
      assert.include(printed.stdout, "PATH=")

      const pidFile = join(folder, "pid")
      const sleeper = { program: "sh", args: ["-c", 'sleep 100 & echo $! > "$1"; wait', "sh", pidFile] }
      const silent = yield* Effect.flip(runChild({ ...sleeper, silence_seconds: 0.4 }))
      assert.strictEqual(silent.reason, "silent")
      const pid = Number(readFileSync(pidFile, "utf8"))
      const isThere = Effect.promise(() => isAlive(pid, undefined))
      yield* Effect.repeat(isThere, { until: (there) => !there, schedule: Schedule.spaced("10 millis") })
      const missing = yield* Effect.flip(runChild({ program: "no-such-program", args: [], silence_seconds: 1 }))
      assert.strictEqual(missing.reason, "missing")
    }).pipe(Effect.scoped)
  )

  it.live("is asked for its version, and one that is too old or absent is named", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      writeFileSync(join(folder, "rsync"), "#!/bin/sh\necho 'rsync  version 2.6.9  protocol version 29'\n")
      chmodSync(join(folder, "rsync"), 0o755)
      for (const [PATH, words] of [
        [folder, /rsync is 2\.6: install rsync 3\.1 or newer/],
        [join(folder, "nothing"), /there is no rsync on the PATH: install rsync 3\.1 or newer/]
      ] as const) {
        const prepare = Effect.provideService(targetOf("rsync:host:/x").prepare, ChildEnvironment, { PATH })
        assert.match((yield* Effect.flip(prepare)).message, words)
      }
    }).pipe(Effect.scoped)
  )
})

describe("a look at a target that was cut off", () => {
  const cut: ReadonlyArray<readonly [name: string, missing: string | undefined, program: string, script: string]> = [
    ["rclone", rcloneMissing, "rclone", 'case "$1" in hashsum) real "$@" | head -n 1; exit 5;; *) real "$@";; esac'],
    [
      "a host behind ssh",
      rsyncMissing,
      "ssh",
      'while [ "$1" = -o ]; do shift 2; done\n[ "$1" = "-l" ] && shift 2\nshift\ncase "$*" in *sha256sum*) sh -c "$*" | head -n 1; exit 125;; esac\nexec sh -c "$*"'
    ]
  ]
  for (const [name, missing, program, script] of cut) {
    it.live.skipIf(missing !== undefined)(`at ${name} fails, and revokes no receipt of a file that is there`, () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const { folder, stateDir, targetDir } = stage
        const address = program === "ssh" ? `rsync:nas:${targetDir}` : `rclone::local:${targetDir}`
        const whole = { ...process.env, PATH: `${sshIn(folder)}${delimiter}${process.env["PATH"]}` }
        yield* Effect.provideService(backup(stage, address), ChildEnvironment, childEnvironment(whole))
        const before = yield* load(stateDir)
        assert.isAbove(before.size, 0)
        const verify = verifyTarget({ stateDir, target: targetOf(address), selection: allDays })
        const error = yield* Effect.flip(inFrontOf(folder, program, script)(verify))
        assert.strictEqual(error._tag, "TargetError")
        assert.deepStrictEqual(yield* load(stateDir), before)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer))
    )
  }

  it.live.skipIf(rsyncMissing !== undefined)(
    "by rsync's checksums takes a file it is told nothing of for no good one",
    () =>
      Effect.gen(function* () {
        const { dataDir, folder, sealed, targetDir } = yield* openStage
        const address = yield* daemonOver(folder, targetDir)
        const files = sealed.map(({ day, line }): HashedFile => ({
          ...line,
          ...line.gzip,
          file: `${day}/${(line.gzip ?? line).file}`
        }))
        const target = targetOf(address)
        yield* target.send(dataDir, files, { again: false, onBytes: () => undefined })
        const look = target.check(files, { root: dataDir, scratch: folder, onBytes: () => undefined })
        assert.isTrue([...(yield* look).values()].every((found) => found === "same"))
        const quiet = inFrontOf(
          folder,
          "rsync",
          'case "$*" in *--dry-run*) real "$@" | grep -v gz;; *) real "$@";; esac'
        )
        assert.match((yield* Effect.flip(quiet(look))).message, /nothing was said of .*, which is there/)
      }).pipe(Effect.scoped)
  )

  it.live.skipIf(rsyncMissing !== undefined)("that could not list everything is not taken for all there is", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const address = `rsync:${stage.targetDir}`
      yield* backup(stage, address)
      const inPart = inFrontOf(
        stage.folder,
        "rsync",
        'case "$*" in *-rn*) real "$@" | head -n 3; exit 23;; *) real "$@";; esac'
      )
      const into = join(stage.folder, "restored")
      const restored = restore({ target: targetOf(address), selection: allDays, into, overwrite: false })
      assert.match((yield* Effect.flip(inPart(restored))).message, /it cannot be listed whole/)
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})

describe.skipIf(rsyncMissing !== undefined)("rsync to another machine", () => {
  it.live("verifies behind a daemon by its checksums, and by reading back what is not here any more", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { dataDir, folder, stateDir, targetDir } = stage
      const address = yield* daemonOver(folder, targetDir)
      const report = yield* backup(stage, address)
      assert.isTrue(isGood(report), JSON.stringify(report.failed))
      const { day, line } = stage.sealed[0] ?? assert.fail("there is no file")
      const file = `${day}/${line.gzip?.file}`
      const verify = verifyTarget({ stateDir, target: targetOf(address), selection: allDays })
      assert.deepStrictEqual((yield* verify).wrong, [])
      flipBit(join(targetDir, file))
      rmSync(join(targetDir, "logs/observer.log"))
      assert.sameDeepMembers(
        [...(yield* verify).wrong],
        [
          { file, found: "damaged" },
          { file: "logs/observer.log", found: "missing" }
        ]
      )
      yield* backup(stage, address)
      assert.deepStrictEqual(readFileSync(join(targetDir, file)), readFileSync(join(dataDir, file)))
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("has the host behind ssh make the hashes, in a folder of any name", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { folder, stateDir } = stage
      const env = childEnvironment({ ...process.env, PATH: `${sshIn(folder)}${delimiter}${process.env["PATH"]}` })
      const remote = join(folder, "it's a $(touch x) folder")
      const address = `rsync:nas:${remote}`
      const inEnv = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, ChildEnvironment, env)
      const report = yield* inEnv(backup(stage, address))
      assert.isTrue(isGood(report), JSON.stringify(report))
      const odd = ["a b", "line\nend", "back\\slash", "'quoted'", "$(x)", "-n", "한글"]
      const files = odd.map((name): HashedFile => {
        writeFileSync(join(remote, name), name)
        return { file: name, bytes: Buffer.byteLength(name), sha256: sha256(name) }
      })
      const look = (some: ReadonlyArray<HashedFile>) =>
        inEnv(targetOf(address).check(some, { scratch: folder, onBytes: () => undefined }))
      assert.deepStrictEqual(
        [...(yield* look(files)).values()],
        odd.map(() => "same")
      )
      flipBit(join(remote, "line\nend"), 0)
      assert.strictEqual((yield* look(files)).get("line\nend"), "damaged")
      const verify = inEnv(verifyTarget({ stateDir, target: targetOf(address), selection: allDays }))
      assert.deepStrictEqual((yield* verify).wrong, [])
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live(
    "says that nobody is there",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const port = yield* freePort
        const report = yield* backup(stage, `rsync://127.0.0.1:${port}/copies`)
        assert.strictEqual(report.stopped?.reason, "unreachable")
        assert.match(report.stopped?.message ?? "", /Connection refused/i)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer)),
    30_000
  )
})

describe.skipIf(rcloneMissing !== undefined)("rclone", () => {
  it.live(
    "says that there is no such remote",
    () =>
      Effect.gen(function* () {
        const stage = yield* openStage
        const report = yield* backup(stage, "rclone:nowhere:observer")
        assert.strictEqual(report.stopped?.reason, "refused")
        assert.match(report.stopped?.message ?? "", /didn't find section in config file.*rclone config/)
      }).pipe(Effect.scoped, Effect.provide(Disk.layer)),
    30_000
  )
})

describe("a folder as a target", () => {
  it.live("is not taken for itself when its disk is not mounted any more", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      const { targetDir } = stage
      yield* backup(stage, targetDir)
      rmSync(targetDir, { recursive: true })
      mkdirSync(targetDir)
      const error = yield* Effect.flip(backup(stage, targetDir))
      assert.match(error.message, /it has no \.observer-backup, though files were backed up there: mount the disk/)
      assert.deepStrictEqual(filesBelow(targetDir), [])
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("goes on with the part of a file that an ended copy has left, be it of this file or not", () =>
    Effect.gen(function* () {
      for (const isOwn of [true, false]) {
        const stage = yield* openStage
        const { dataDir, sealed, targetDir } = stage
        const { day, line } = sealed[0] ?? assert.fail("there is no file")
        const name = line.gzip?.file.slice(3) ?? ""
        const whole = readFileSync(join(dataDir, day, "08", name))
        mkdirSync(join(targetDir, day, "08"), { recursive: true })
        const half = whole.subarray(0, Math.floor(whole.length / 2))
        writeFileSync(join(targetDir, day, "08", `.${name}.part`), isOwn ? half : half.map((byte) => byte ^ 1))
        const report = yield* backup(stage, targetDir)
        assert.isTrue(isGood(report))
        assert.deepStrictEqual(readFileSync(join(targetDir, day, "08", name)), whole)
      }
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("must not be the data folder, nor in it, nor around it", () =>
    Effect.gen(function* () {
      const stage = yield* openStage
      for (const address of [stage.dataDir, join(stage.dataDir, "2025"), stage.folder]) {
        const error = yield* Effect.flip(backup(stage, address))
        assert.match(error.message, /lie in one another: name a folder on another disk/)
      }
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )

  it.live("that hangs is left alone until it answers, and costs one thread", () =>
    Effect.gen(function* () {
      const { dataDir, sealed, targetDir } = yield* openStage
      const { day, line } = sealed[0] ?? assert.fail("there is no file")
      const file = `${day}/${line.gzip?.file}`
      const draft = join(targetDir, dirname(file), `.${basename(file)}.part`)
      mkdirSync(dirname(draft), { recursive: true })
      // Whoever opens it to write waits until somebody reads.
      execFileSync("mkfifo", [draft])
      const target = folderTarget(targetDir, { silence_seconds: 0.4 })
      const send = target.send(dataDir, [{ file, bytes: 1 }], { again: false, onBytes: () => undefined })
      assert.deepInclude(yield* Effect.flip(send), { reason: "silent" })
      assert.deepInclude(yield* Effect.flip(target.list()), { reason: "silent" })
      const reader = spawn("cat", [draft], { stdio: "ignore" })
      yield* Effect.addFinalizer(() => Effect.sync(() => reader.kill("SIGKILL")))
      yield* Effect.retry(target.list(), { schedule: Schedule.spaced("10 millis"), times: 500 })
    }).pipe(Effect.scoped)
  )

  it.live("that is full says so, and keeps what it has", () =>
    Effect.gen(function* () {
      if (process.getuid?.() !== 0) return console.log("a full disk is not tried: only root may mount one")
      const stage = yield* openStage
      const { targetDir } = stage
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", targetDir])
      if (mounted.status !== 0) return console.log("a full disk is not tried: nothing may be mounted here")
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", [targetDir])))
      const report = yield* backup(stage, targetDir)
      assert.strictEqual(report.stopped?.reason, "full")
      assert.match(report.stopped?.message ?? "", /it is full \(ENOSPC\): make room there/)
    }).pipe(Effect.scoped, Effect.provide(Disk.layer))
  )
})

describe("the lists at a target", () => {
  it("name only what is there, in the form in which it is there", () => {
    const day = "2025/11/20"
    const line = (file: string, gzip?: string) => ({
      file,
      node: "n",
      firstSeq: 1,
      lastSeq: 1,
      lines: 1,
      bytes: 1,
      sha256: sha256(file),
      firstReceivedAt: "",
      lastReceivedAt: "",
      sealedAt: "",
      ...(gzip === undefined ? {} : { gzip: { file: gzip, bytes: 2, sha256: sha256(gzip) } })
    })
    const lines = [line("09/a.jsonl", "09/a.jsonl.gz"), line("09/b.jsonl"), line("10/c.jsonl")]
    const manifest = lines.map((each) => `${JSON.stringify(each)}\n`).join("")
    const sums = lines.map(({ gzip, ...each }) => `${(gzip ?? each).sha256}  ${(gzip ?? each).file}\n`).join("")
    const all = listsFor(day, { manifest: `${manifest}{"torn`, sums: `${sums}0123` }, () => true)
    assert.deepStrictEqual(all, { manifest, sums })
    const some = listsFor(day, { manifest, sums }, ({ file }) => file !== `${day}/09/b.jsonl`)
    assert.deepStrictEqual(some.manifest.split("\n").length - 1, 2)
    assert.notInclude(some.manifest + some.sums, "b.jsonl")
    // Entered in the manifest, and not yet in the checksums.
    const early = listsFor(day, { manifest, sums: sums.split("\n").slice(0, 2).join("\n") + "\n" }, () => true)
    assert.notInclude(early.manifest, "c.jsonl")
    assert.deepStrictEqual(
      listsFor(day, { manifest, sums }, () => false),
      { manifest: "", sums: "" }
    )
  })
})
