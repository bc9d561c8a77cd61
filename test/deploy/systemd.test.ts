import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { exitCode } from "../../src/ProgramEnd.ts"
import { table } from "../../src/Settings.ts"
import { scratchFolder } from "../support/virtualTime.ts"
import { ran, root, toolAt, without } from "./tools.ts"

const unitsFolder = join(root, "deploy/systemd")
const services = ["observer", "observer-backup", "observer-certify", "observer-drill", "observer-failure@x"]
const timers = ["observer-backup", "observer-certify", "observer-drill"]

/** A release as `deploy/release.sh` packs it, with a program of one line: the scripts look at nothing else in it. */
const releaseAt = (folder: string, version: string) => {
  const release = join(folder, `observer-${version}`)
  mkdirSync(join(release, "dist"), { recursive: true })
  writeFileSync(join(release, "dist/main.js"), `// ${version}\n`)
  writeFileSync(join(release, "package.json"), JSON.stringify({ name: "observer", version }))
  cpSync(join(root, ".env.example"), join(release, ".env.example"))
  cpSync(unitsFolder, join(release, "deploy/systemd"), { recursive: true })
  return release
}

const installed = Effect.fnUntraced(function* () {
  const folder = yield* scratchFolder
  const machine = join(folder, "machine")
  mkdirSync(machine)
  const install = (version: string) =>
    ran("sh", [join(releaseAt(folder, version), "deploy/systemd/install.sh"), "--root", machine, "--no-packages"])
  const first = install("1.0.0")
  assert.strictEqual(first.code, 0, first.stderr)
  return { folder, install, machine }
})

const value = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1]
const unit = (name: string) => readFileSync(join(unitsFolder, name), "utf8")

describe("the unit", () => {
  it("starts nothing again that a restart does not mend, and everything else", () => {
    const { credentials, folders, settings } = exitCode
    assert.strictEqual(
      value(unit("observer.service"), "RestartPreventExitStatus"),
      [settings, credentials, folders].join(" ")
    )
    assert.strictEqual(value(unit("observer.service"), "Restart"), "on-failure")
  })

  it("never gives up starting the observer, and calls no incomplete day a failure of the certificate's job", () => {
    assert.strictEqual(value(unit("observer.service"), "StartLimitIntervalSec"), "0")
    assert.strictEqual(value(unit("observer.service"), "RestartSec"), "15")
    assert.strictEqual(value(unit("observer-certify.service"), "SuccessExitStatus"), `1 ${exitCode.settings}`)
    assert.match(value(unit("observer-certify.service"), "ExecStart") ?? "", / certify --missing$/)
  })

  it("lets the longest drain that can be set come to its end", () => {
    const longest = 300
    assert.isTrue(Result.isSuccess(table.drain_seconds.value.parse(String(longest))))
    assert.isTrue(Result.isFailure(table.drain_seconds.value.parse(String(longest + 1))))
    assert.isAbove(Number(value(unit("observer.service"), "TimeoutStopSec")), longest)
  })

  it("names the folders in the command, where no settings file can move them out of the sandbox", () => {
    for (const name of ["observer", "observer-backup", "observer-certify", "observer-drill"]) {
      const command = value(unit(`${name}.service`), "ExecStart") ?? ""
      for (const { name: variable } of [table.dataDir, table.stateDir, table.logDir]) {
        assert.match(command, new RegExp(`${variable}=/var/(lib|log)/observer`))
      }
    }
  })
})

const noSystemd =
  without("systemd-analyze", "systemd-sysusers") ||
  (process.getuid?.() !== 0 && "only root gives files to another group")

describe.skipIf(noSystemd)(`systemd on the units${noSystemd ? ` (skipped: ${noSystemd})` : ""}`, () => {
  it.effect("finds nothing to say about them", () =>
    Effect.gen(function* () {
      const { machine } = yield* installed()
      const env = { SYSTEMD_UNIT_PATH: `${join(machine, "etc/systemd/system")}:` }
      const names = [...services.map((name) => `${name}.service`), ...timers.map((name) => `${name}.timer`)]
      const { code, stderr, stdout } = ran(
        "systemd-analyze",
        ["verify", "--man=no", "--recursive-errors=no", ...names],
        { env }
      )
      assert.deepStrictEqual([code, stdout + stderr], [0, ""])
    })
  )

  it.effect("holds each service for exposed by 2.0 at most", () =>
    Effect.gen(function* () {
      const { machine } = yield* installed()
      for (const name of services) {
        const args = ["security", "--offline=true", `--root=${machine}`, "--no-pager", `${name}.service`]
        const { stdout } = ran("systemd-analyze", args, { env: { SYSTEMD_COLORS: "0" } })
        const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
        assert.isAtMost(level, 2, `${name}: ${stdout}`)
      }
    })
  )

  it("runs the timers at their hours in Seoul, wherever the machine is", () => {
    const times = timers.flatMap((name) =>
      [...unit(`${name}.timer`).matchAll(/^OnCalendar=(.*)$/gm)].map(([, time = ""]) => time)
    )
    const { stdout } = ran("systemd-analyze", ["calendar", ...times], { env: { TZ: "UTC", SYSTEMD_COLORS: "0" } })
    const hours = [...stdout.matchAll(/Next elapse: \S+ \S+ (\S+) UTC/g)].map(([, hour]) => hour)
    assert.deepStrictEqual(hours, ["11:30:00", "13:00:00", "11:20:00", "01:00:00"])
  })
})

describe.skipIf(noSystemd)(`install.sh${noSystemd ? ` (skipped: ${noSystemd})` : ""}`, () => {
  it.effect("installs below a folder, and changes nothing when it is run again", () =>
    Effect.gen(function* () {
      const { install, machine } = yield* installed()
      assert.strictEqual(readlinkSync(join(machine, "opt/observer/current")), "releases/1.0.0")
      assert.match(
        readFileSync(join(machine, "etc/passwd"), "utf8"),
        /^observer:.*:\/var\/lib\/observer:\/usr\/sbin\/nologin$/m
      )
      const example = join(machine, "etc/observer/observer.env.example")
      assert.strictEqual(statSync(example).mode & 0o777, 0o640)
      const gid = /^observer:[^:]*:(\d+):/m.exec(readFileSync(join(machine, "etc/group"), "utf8"))?.[1]
      assert.strictEqual(statSync(example).gid, Number(gid))

      const settings = join(machine, "etc/observer/observer.env")
      writeFileSync(settings, "KIS_APP_KEY=mine\n", { mode: 0o640 })
      const again = install("1.0.0")
      assert.strictEqual(again.code, 0, again.stderr)
      assert.strictEqual(readFileSync(settings, "utf8"), "KIS_APP_KEY=mine\n")
      assert.isFalse(existsSync(join(machine, "opt/observer/previous")))
      assert.strictEqual(readlinkSync(join(machine, "opt/observer/current")), "releases/1.0.0")
      assert.strictEqual(readFileSync(join(machine, "etc/passwd"), "utf8").match(/^observer:/gm)?.length, 1)
    })
  )

  it.effect("makes the folders of the unit before the first start, the observer's own", () =>
    Effect.gen(function* () {
      const { machine } = yield* installed()
      const uid = /^observer:[^:]*:(\d+):/m.exec(readFileSync(join(machine, "etc/passwd"), "utf8"))?.[1]
      const modes = ["var/lib/observer", "var/lib/observer/data", "var/lib/observer/state", "var/log/observer"].map(
        (name) => {
          const { mode, uid: owner } = statSync(join(machine, name))
          assert.strictEqual(owner, Number(uid), name)
          return mode & 0o777
        }
      )
      assert.deepStrictEqual(modes, [0o750, 0o750, 0o700, 0o750])
    })
  )

  it.effect("has one list of further folders for all units, and leaves it to the owner", () =>
    Effect.gen(function* () {
      const { install, machine } = yield* installed()
      const paths = join(machine, "etc/observer/paths.conf")
      const mine = "[Service]\nReadWritePaths=-/mnt/backup\n"
      writeFileSync(paths, mine)
      assert.strictEqual(install("1.0.0").code, 0)
      assert.strictEqual(readFileSync(paths, "utf8"), mine)
      for (const folder of ["observer.service.d", "observer-.service.d"]) {
        assert.strictEqual(readFileSync(join(machine, "etc/systemd/system", folder, "paths.conf"), "utf8"), mine)
      }
    })
  )

  it.effect("installs a release of the same version with another content beside the one that is there", () =>
    Effect.gen(function* () {
      const { folder, machine } = yield* installed()
      const release = join(folder, "observer-1.0.0")
      writeFileSync(join(release, "dist/main.js"), "// another\n")
      const other = () => ran("sh", [join(release, "deploy/systemd/install.sh"), "--root", machine, "--no-packages"])
      const { code, stdout } = other()
      assert.strictEqual(code, 0)
      assert.match(stdout, /another release 1\.0\.0 is installed: this one becomes 1\.0\.0\+[0-9a-f]{12}/)
      const current = readlinkSync(join(machine, "opt/observer/current"))
      assert.match(current, /^releases\/1\.0\.0\+/)
      const program = (name: string) => readFileSync(join(machine, "opt/observer", name, "dist/main.js"), "utf8")
      assert.deepStrictEqual([program("current"), program("previous")], ["// another\n", "// 1.0.0\n"])
      assert.strictEqual(other().code, 0)
      assert.strictEqual(readlinkSync(join(machine, "opt/observer/current")), current)
      assert.strictEqual(readlinkSync(join(machine, "opt/observer/previous")), "releases/1.0.0")
    })
  )

  it.effect("says what is wrong with a folder that is no release", () =>
    Effect.gen(function* () {
      const folder = yield* scratchFolder
      cpSync(unitsFolder, join(folder, "deploy/systemd"), { recursive: true })
      const { code, stderr } = ran("sh", [join(folder, "deploy/systemd/install.sh"), "--root", folder])
      assert.strictEqual(code, 1)
      assert.include(stderr, "is no release")
    })
  )
})

/** Stands for systemctl and the observer: notes what it is asked, and says that a release runs unless it is a bad one. */
const stub = (machine: string) => `#!/bin/sh
echo "$(basename "$0") $*" >>"${machine}/asked"
case "$(readlink "${machine}/opt/observer/current")" in *bad) case "$1" in restart|status) exit 1 ;; esac ;; esac
`

describe.skipIf(noSystemd)(`upgrade.sh${noSystemd ? ` (skipped: ${noSystemd})` : ""}`, () => {
  const upgradable = Effect.fnUntraced(function* () {
    const { folder, machine } = yield* installed()
    const bin = join(folder, "bin")
    mkdirSync(bin)
    for (const name of ["systemctl", "observer"]) {
      writeFileSync(join(bin, name), stub(machine))
      chmodSync(join(bin, name), 0o755)
    }
    const upgrade = (...args: ReadonlyArray<string>) =>
      ran("sh", [join(unitsFolder, "upgrade.sh"), "--root", machine, "--wait", "0", ...args], {
        env: { PATH: `${bin}:${process.env["PATH"]}` }
      })
    const packed = (version: string, changed?: string) => {
      const release = releaseAt(folder, version)
      if (changed !== undefined) writeFileSync(join(release, "deploy/systemd/observer.service"), changed)
      const file = `${release}.tar.gz`
      const made = ran(toolAt("tar") ?? "tar", ["-C", folder, "-czf", file, `observer-${version}`])
      assert.strictEqual(made.code, 0, made.stderr)
      return file
    }
    const now = () => readlinkSync(join(machine, "opt/observer/current"))
    const before = () => readlinkSync(join(machine, "opt/observer/previous"))
    const asked = () => readFileSync(join(machine, "asked"), "utf8")
    return { asked, before, machine, now, packed, upgrade }
  })

  it.effect("installs a release, restarts, waits until it is ready, and goes back when told to", () =>
    Effect.gen(function* () {
      const { asked, now, packed, upgrade } = yield* upgradable()
      const up = upgrade(packed("1.1.0"))
      assert.strictEqual(up.code, 0, up.stderr)
      assert.strictEqual(now(), "releases/1.1.0")
      assert.include(asked(), "systemctl restart observer.service\nobserver status --quiet\n")
      const back = upgrade("--rollback")
      assert.strictEqual(back.code, 0, back.stderr)
      assert.strictEqual(now(), "releases/1.0.0")
      assert.strictEqual(upgrade("--rollback").code, 0)
      assert.strictEqual(now(), "releases/1.1.0")
    })
  )

  it.effect("goes back by itself, units and all, from a release that does not get ready", () =>
    Effect.gen(function* () {
      const { asked, machine, now, packed, upgrade } = yield* upgradable()
      const { code, stderr } = upgrade(packed("1.2.0-bad", "[Service]\nExecStart=/bin/false\n"))
      assert.strictEqual(code, 1)
      assert.include(stderr, "releases/1.2.0-bad does not get ready")
      assert.strictEqual(now(), "releases/1.0.0")
      const unitNow = readFileSync(join(machine, "etc/systemd/system/observer.service"), "utf8")
      assert.strictEqual(unitNow, unit("observer.service"))
      assert.strictEqual(asked().match(/systemctl restart/g)?.length, 2)
    })
  )

  it.effect("keeps the release before through an upgrade that went back, and returns from a rollback that fails", () =>
    Effect.gen(function* () {
      const { before, machine, now, packed, upgrade } = yield* upgradable()
      assert.strictEqual(upgrade(packed("1.2.0-bad")).code, 1)
      assert.isFalse(existsSync(join(machine, "opt/observer/previous")))
      assert.strictEqual(upgrade(packed("1.1.0")).code, 0)
      assert.strictEqual(upgrade(packed("1.2.0-bad")).code, 1)
      assert.deepStrictEqual([now(), before()], ["releases/1.1.0", "releases/1.0.0"])
      const bad = join(machine, "opt/observer/previous")
      rmSync(bad)
      symlinkSync("releases/1.2.0-bad", bad)
      const { code, stderr } = upgrade("--rollback")
      assert.strictEqual(code, 1)
      assert.include(stderr, "going back to releases/1.1.0")
      assert.deepStrictEqual([now(), before()], ["releases/1.1.0", "releases/1.2.0-bad"])
    })
  )

  it.effect("refuses what is no release, and a rollback without a release before", () =>
    Effect.gen(function* () {
      const { upgrade } = yield* upgradable()
      assert.strictEqual(upgrade("--rollback").code, 1)
      assert.strictEqual(upgrade("nowhere.tar.gz").code, 1)
      assert.strictEqual(upgrade("--loudly").code, 64)
    })
  )
})

describe.skipIf(process.getuid?.() !== 0)("the command", () => {
  /** Runs it with a systemd that only notes what it was asked, and the settings that it would have read. */
  const commanded = Effect.fnUntraced(function* () {
    const folder = yield* scratchFolder
    const bin = join(folder, "bin")
    mkdirSync(bin)
    const stubs = {
      "systemd-run": `for each; do echo "$each"; case $each in *EnvironmentFile=/run/*) cat "\${each##*=}" ;; esac; done; exit 3`,
      install: `for folder; do :; done; echo "made $folder"; mkdir -p "$folder"`
    }
    for (const [name, text] of Object.entries(stubs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    const paths = join(folder, "paths.conf")
    writeFileSync(paths, "[Service]\n#ReadWritePaths=-/no\nReadWritePaths=-/mnt/backup\n")
    const command = join(folder, "observer")
    writeFileSync(command, unit("observer").replaceAll("/etc/observer/paths.conf", paths), { mode: 0o755 })
    return (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
      const { code, stderr, stdout } = ran(command, args, {
        cwd: folder,
        env: { PATH: `${bin}:${process.env["PATH"]}`, DATABASE_URL: undefined, ...env }
      })
      assert.deepStrictEqual([code, stderr], [3, ""], stdout)
      const lines = stdout.split("\n").slice(0, -1)
      const property = (name: string) =>
        lines.filter((line) => line.startsWith(`--property=${name}=`)).map((line) => line.slice(name.length + 12))
      const given = lines.slice(lines.indexOf("/opt/observer/current/dist/cli.js") + 1)
      return { folder, given, lines, property, writable: property("ReadWritePaths")[0] ?? "" }
    }
  })

  it.effect("has the unit's folders, and lets what the caller has set win over the settings file", () =>
    Effect.gen(function* () {
      const command = yield* commanded()
      const plain = command(["status"])
      assert.deepStrictEqual(plain.given, ["status"])
      for (const [name, at] of [
        ["DATA", "/var/lib/observer/data"],
        ["STATE", "/var/lib/observer/state"],
        ["LOG", "/var/log/observer"]
      ]) {
        assert.include(plain.lines, `OBSERVER_${name}_DIR="${at}"`)
      }
      const own = command(["verify", "--no-sql"], {
        OBSERVER_DATA_DIR: "/srv/restored",
        DATABASE_URL: 'postgres://a:p"$\\@db/x',
        OTEL_SERVICE_NAME: "trial",
        HOME: "/root"
      })
      assert.include(own.lines, 'OBSERVER_DATA_DIR="/srv/restored"')
      assert.include(own.lines, String.raw`DATABASE_URL="postgres://a:p\"\$\\@db/x"`)
      assert.include(own.lines, 'OTEL_SERVICE_NAME="trial"')
      assert.isFalse(own.lines.some((line) => line.startsWith("HOME=")))
      assert.include(own.writable, '"-/srv/restored"')
      // Of two files the later one counts, and none of it is in the words of the command.
      const [first, second = ""] = own.property("EnvironmentFile")
      assert.strictEqual(first, "-/etc/observer/observer.env")
      assert.match(second, /^\/run\/observer\./)
      assert.isFalse(existsSync(second), "the file of the settings is left behind")
    })
  )

  it.effect("lets a folder that is named be written, and makes it, but never a backup's target", () =>
    Effect.gen(function* () {
      const command = yield* commanded()
      const { folder, given, lines, property, writable } = command(["restore", "--days", "all", "--into", "two words"])
      const into = join(folder, "two words")
      assert.deepStrictEqual(given, ["restore", "--days", "all", "--into", into])
      assert.include(lines, `made ${into}`)
      assert.include(writable, `"-${into}"`)
      assert.include(writable, "-/mnt/backup")
      assert.notInclude(writable, "-/no")
      assert.include(writable, '"-/tmp"')
      assert.deepStrictEqual(property("PrivateTmp"), [])

      const file = command(["export", `--out=out/day.parquet`])
      assert.deepStrictEqual(file.given, ["export", "--out", join(folder, "out/day.parquet")])
      assert.include(file.writable, `"-${join(folder, "out")}"`)

      const disk = command(["backup", "--target", "/mnt/other"])
      assert.include(disk.writable, '"-/mnt/other"')
      assert.isFalse(disk.lines.some((line) => line.startsWith("made ")))
      const far = command(["backup", "--from", "2026-11-20", "--target", "rsync:me@nas:/x"])
      assert.deepStrictEqual(far.given, ["backup", "--from", "2026-11-20", "--target", "rsync:me@nas:/x"])
      assert.include(command(["backup"], { OBSERVER_BACKUP_TARGET: "/mnt/third" }).writable, '"-/mnt/third"')
    })
  )
})

const noShellcheck = without("shellcheck")

describe.skipIf(noShellcheck)(`shellcheck${noShellcheck ? ` (skipped: ${noShellcheck})` : ""}`, () => {
  it("finds nothing in the scripts", () => {
    const scripts = ["release.sh", "systemd/install.sh", "systemd/upgrade.sh", "systemd/observer"]
    const { code, stdout } = ran(
      "shellcheck",
      scripts.map((name) => join(root, "deploy", name))
    )
    assert.strictEqual(code, 0, stdout)
  })
})
