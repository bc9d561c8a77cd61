import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { join } from "node:path"
import { scratchFolder } from "../support/virtualTime.ts"
import { ran, root, without } from "./tools.ts"

const folder = join(root, "deploy/terraform")
/** Where a machine without the registry keeps the provider. */
const mirror = "/opt/tf-plugins"
const noTerraform = without("terraform") || (!existsSync(mirror) && `no provider in ${mirror}`)
const quiet = { TF_CLI_CONFIG_FILE: "/dev/null", CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" }

/** The provider is a program of 700 MB, started three times. */
const patience_ms = 240_000

/** Lets the test runner be heard from between programs that are waited for without a turn of the loop. */
const breath = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** A copy that terraform may put its own files into. */
const initialised = Effect.gen(function* () {
  const copy = join(yield* scratchFolder, "terraform")
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes(".terraform") })
  const { code, stderr, stdout } = terraform(copy, ["init", "-backend=false", `-plugin-dir=${mirror}`])
  assert.strictEqual(code, 0, stdout + stderr)
  yield* breath
  return copy
})

const terraform = (cwd: string, args: ReadonlyArray<string>) => {
  const [command = "", ...rest] = args
  return ran("terraform", [command, "-no-color", ...rest], { cwd, env: quiet })
}

describe.skipIf(noTerraform)(`terraform${noTerraform ? ` (skipped: ${noTerraform})` : ""}`, () => {
  it.effect(
    "finds the files well formed, valid, and their plan closed",
    () =>
      Effect.gen(function* () {
        const copy = yield* initialised
        const formatted = terraform(copy, ["fmt", "-check", "-recursive", "."])
        assert.strictEqual(formatted.code, 0, formatted.stdout)
        const valid = terraform(copy, ["validate"])
        assert.strictEqual(valid.code, 0, valid.stdout + valid.stderr)
        yield* breath
        const tested = terraform(copy, ["test"])
        assert.strictEqual(tested.code, 0, tested.stdout + tested.stderr)
      }),
    patience_ms
  )

  const noCloudInit = without("cloud-init")

  it.effect.skipIf(noCloudInit)(
    `gives cloud-init what it takes${noCloudInit ? ` (skipped: ${noCloudInit})` : ""}`,
    () =>
      Effect.gen(function* () {
        const copy = yield* initialised
        const call = `templatefile("cloud-init.yaml.tftpl", {name = "observer", setup = file("setup.sh"), data_volume = "vol0a", node_version = "24.19.0", release_url = "https://example.com/o.tar.gz", release_sha256 = "${"0".repeat(64)}"})`
        const expression = join(copy, "expression")
        writeFileSync(expression, `${call}\n`)
        const { stdout } = ran("sh", ["-c", `terraform console <"${expression}"`], { cwd: copy, env: quiet })
        const text = /<<EOT\n([\s\S]*)\nEOT/.exec(stdout)?.[1] ?? ""
        assert.match(text, /^#cloud-config\n/)
        const file = join(copy, "user-data.yaml")
        writeFileSync(file, text)
        const { code, stderr, stdout: said } = ran("cloud-init", ["schema", "--config-file", file])
        assert.strictEqual(code, 0, said + stderr)
      })
  )
})

describe("the plan's files", () => {
  it("let ssh in and nothing else, and keep the record's disk", () => {
    const text = readFileSync(join(folder, "main.tf"), "utf8")
    assert.strictEqual(text.match(/_ingress_rule" /g)?.length, 1)
    assert.notMatch(text, /^\s*ingress \{/m)
    assert.match(text, /aws_ebs_volume" "data"[^\n]*\n(  [^\n]*\n|\n)*  lifecycle \{\n    prevent_destroy = true/)
  })
})

const noDisk =
  without("mkfs.ext4", "blkid") || (process.platform !== "linux" && "the machine that is set up is a Linux one")

/** A machine below a folder, whose disk is a file; what only a real one can do is noted down instead. */
const machine = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>> = {}) {
  const at = yield* scratchFolder
  const bin = join(at, "bin")
  const disk = join(at, "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol1")
  for (const each of [bin, join(at, "etc/observer"), join(at, "dev/disk/by-id")]) mkdirSync(each, { recursive: true })
  writeFileSync(join(at, "etc/fstab"), "# static file system information\n")
  const program = (name: string, lines: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${at}/asked"\n${lines}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  program("systemctl", "")
  program("mount", "")
  program("mountpoint", "exit 1")
  program("curl", `while [ "$1" != -o ]; do shift; done; cp "${at}/release.tar.gz" "$2"`)
  const all = {
    DATA_VOLUME: "vol1",
    NODE_VERSION: process.version.slice(1),
    RELEASE_URL: "",
    RELEASE_SHA256: "",
    ...settings
  }
  writeFileSync(
    join(at, "setup.env"),
    Object.entries(all)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join("")
  )
  const run = () =>
    ran("sh", [join(folder, "setup.sh")], {
      env: { PATH: `${bin}:${process.env["PATH"]}`, SETUP_ROOT: at, SETUP_ENV: join(at, "setup.env"), SETUP_WAIT: "0" }
    })
  const uuid = () => ran("blkid", ["-p", "-s", "UUID", "-o", "value", disk]).stdout.trim()
  const asked = () => (existsSync(join(at, "asked")) ? readFileSync(join(at, "asked"), "utf8") : "")
  const emptyDisk = () => {
    writeFileSync(disk, "")
    truncateSync(disk, 16_000_000)
  }
  return { asked, at, disk, emptyDisk, run, uuid }
})

describe.skipIf(noDisk)(`the machine's set-up${noDisk ? ` (skipped: ${noDisk})` : ""}`, () => {
  it.effect("formats a disk that is empty, and never again", () =>
    Effect.gen(function* () {
      const { at, emptyDisk, run, uuid } = yield* machine()
      emptyDisk()
      const first = run()
      assert.strictEqual(first.code, 0, first.stderr)
      assert.include(first.stdout, "it is formatted")
      const made = uuid()
      assert.match(made, /^[0-9a-f-]{36}$/)
      const again = run()
      assert.strictEqual(again.code, 0, again.stderr)
      assert.include(again.stdout, "used as it is")
      assert.strictEqual(uuid(), made)
      const mounts = readFileSync(join(at, "etc/fstab"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("UUID="))
      assert.deepStrictEqual(
        mounts.map((line) => line.split(" ").slice(0, 2)),
        [[`UUID=${made}`, "/var/lib/observer"]]
      )
    })
  )

  it.effect("leaves a disk alone that holds something it does not know", () =>
    Effect.gen(function* () {
      const { disk, emptyDisk, run } = yield* machine()
      emptyDisk()
      const swap = ran("mkswap", ["-q", disk])
      assert.strictEqual(swap.code, 0, swap.stderr)
      const before = readFileSync(disk)
      const { code, stderr } = run()
      assert.strictEqual(code, 1)
      assert.include(stderr, "nothing was done to it")
      assert.isTrue(readFileSync(disk).equals(before))
    })
  )

  it.effect("says that the disk is not there instead of recording without it", () =>
    Effect.gen(function* () {
      const { asked, run } = yield* machine()
      const { code, stderr } = run()
      assert.strictEqual(code, 1)
      assert.include(stderr, "is it attached?")
      assert.notInclude(asked(), "mount")
    })
  )

  it.effect("installs a release whose sum is right, starts it only with settings, and no other release", () =>
    Effect.gen(function* () {
      const scratch = yield* scratchFolder
      const release = join(scratch, "observer-9.9.9/deploy/systemd")
      mkdirSync(release, { recursive: true })
      writeFileSync(join(release, "install.sh"), "#!/bin/sh\necho installed\n")
      const packed = join(scratch, "release.tar.gz")
      assert.strictEqual(ran("tar", ["-C", scratch, "-czf", packed, "observer-9.9.9"]).code, 0)
      const sum = createHash("sha256").update(readFileSync(packed)).digest("hex")
      const url = "https://example.com/observer-9.9.9.tar.gz"
      const right = yield* machine({ RELEASE_URL: url, RELEASE_SHA256: sum })
      const wrong = yield* machine({ RELEASE_URL: url, RELEASE_SHA256: "0".repeat(64) })
      for (const { at, emptyDisk } of [right, wrong]) {
        emptyDisk()
        cpSync(packed, join(at, "release.tar.gz"))
      }
      const refused = wrong.run()
      assert.strictEqual(refused.code, 1)
      assert.notInclude(refused.stdout, "installed")

      const bare = right.run()
      assert.strictEqual(bare.code, 0, bare.stderr)
      assert.include(bare.stdout, "installed\n")
      assert.notInclude(right.asked(), "systemctl start")
      writeFileSync(join(right.at, "etc/observer/observer.env"), "")
      assert.strictEqual(right.run().code, 0)
      assert.include(right.asked(), "systemctl start observer.service")
    })
  )
})

const noShellcheck = without("shellcheck")

describe.skipIf(noShellcheck)(`shellcheck on the set-up${noShellcheck ? ` (skipped: ${noShellcheck})` : ""}`, () => {
  it("finds nothing", () => {
    const { code, stdout } = ran("shellcheck", [join(folder, "setup.sh")])
    assert.strictEqual(code, 0, stdout)
  })
})
