import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Result } from "effect"
import { table } from "../../src/Settings.ts"
import { version } from "../../src/version.ts"
import { ran, root, toolAt, without } from "./tools.ts"

const textOf = (path: string) => readFileSync(join(root, path), "utf8")

interface Service {
  readonly image: string
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: unknown
  readonly ports?: ReadonlyArray<string>
  readonly restart?: string
  readonly logging?: { readonly options: Readonly<Record<string, string>> }
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } }
  readonly security_opt?: ReadonlyArray<string>
  readonly read_only?: boolean
  readonly cap_drop?: ReadonlyArray<string>
  readonly stop_grace_period?: string
  readonly hostname?: string
  readonly volumes?: ReadonlyArray<string>
  readonly tmpfs?: ReadonlyArray<string>
  readonly env_file?: string
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const python = toolAt("python3")
const noYaml =
  python === undefined
    ? "no python3"
    : ran(python, ["-c", "import yaml"]).code !== 0 && "python3 has no yaml, which reads compose files"

const parsed = (path: string): unknown => {
  const { code, stderr, stdout } = ran(python ?? "", [
    "-c",
    "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))",
    join(root, path)
  ])
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout)
}

const compose = () => parsed("docker/compose.yaml") as { readonly services: Readonly<Record<string, Service>> }
/** Compose's own form of a variable that must be set, with words of what to do. */
const demanded = /^\$\{[A-Z_]+:\?[^}]*\.env[^}]*\}$/

describe.skipIf(noYaml)(`the compose file${noYaml ? ` (skipped: ${noYaml})` : ""}`, () => {
  it("pins every image, and the observer's to this version", () => {
    const { observer, ...others } = compose().services
    assert.strictEqual(observer?.image, `observer:${version}`)
    for (const { image } of Object.values(others)) assert.match(image, /^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$/)
  })

  it("publishes nothing beyond this machine, and holds no password", () => {
    for (const [name, { environment = {}, ports = [] }] of Object.entries(compose().services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
      for (const [variable, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN|SECRET/.test(variable) && value !== "") assert.match(value, demanded, variable)
      }
    }
  })

  it("bounds every service in memory, processor, processes and log, and starts it after a reboot", () => {
    for (const [name, service] of Object.entries(compose().services)) {
      assert.hasAllKeys(service.deploy?.resources.limits ?? {}, ["cpus", "memory", "pids"], name)
      assert.hasAllKeys(service.logging?.options ?? {}, ["max-size", "max-file"], name)
      assert.strictEqual(service.restart, "unless-stopped", name)
      assert.isTrue(service.security_opt?.includes("no-new-privileges:true"), name)
    }
  })

  it("gives the observer its folders and nothing else to write, and time to drain", () => {
    const { observer } = compose().services
    assert.strictEqual(observer?.environment?.[table.dataDir.name], "/app/data/observer")
    assert.strictEqual(observer?.environment?.[table.logDir.name], "/app/logs")
    assert.strictEqual(observer?.environment?.[table.stateDir.name], "/app/state")
    assert.deepStrictEqual(
      observer?.volumes?.map((volume) => volume.split(":")[1]),
      [table.dataDir, table.logDir, table.stateDir].map(({ name }) => observer?.environment?.[name])
    )
    assert.isTrue(observer?.read_only)
    assert.deepStrictEqual(observer?.cap_drop, ["ALL"])
    assert.match(observer?.tmpfs?.[0] ?? "", /^\/tmp:/)
    assert.strictEqual(observer?.env_file, "../.env")
    const longest = 300
    assert.isTrue(Result.isFailure(table.drain_seconds.value.parse(String(longest + 1))))
    assert.isAbove(Number.parseInt(observer?.stop_grace_period ?? "", 10), longest)
  })

  it("keeps the name under which files are numbered when the container is made anew", () => {
    assert.strictEqual(compose().services["observer"]?.hostname, "observer")
  })

  it("lets the observer start whatever the database does", () => {
    const conditions = Object.values(compose().services["observer"]?.depends_on ?? {}).map(({ condition }) => condition)
    assert.deepStrictEqual(new Set(conditions), new Set(["service_started"]))
  })

  it("mounts only what is there", () => {
    for (const { volumes = [] } of Object.values(compose().services)) {
      for (const volume of volumes.filter((each) => each.startsWith("."))) {
        assert.isTrue(existsSync(join(root, "docker", volume.split(":")[0] ?? "")), volume)
      }
    }
  })
})

describe("the image", () => {
  it("is made on a pinned Node 24, runs as a fixed user under tini, and asks the command how it is", () => {
    const text = textOf("docker/Dockerfile")
    assert.match(text, /^ARG NODE_IMAGE=node:24\.\d+\.\d+-\w+-slim$/m)
    assert.match(text, /^USER \d+:\d+$/m)
    assert.match(text, /^ENTRYPOINT \["\/usr\/bin\/tini", "--"\]$/m)
    assert.include(text, 'CMD ["node", "/app/dist/cli.js", "status", "--quiet"]')
    for (const name of ["rsync", "rclone", "tzdata", "ca-certificates", "tini"]) assert.include(text, ` ${name}`)
  })

  it("takes no settings and no record from the folder that it is built in", () => {
    const wanted = textOf(".dockerignore")
      .split("\n")
      .filter((line) => !line.startsWith("#"))
    assert.strictEqual(wanted[0], "*")
    for (const line of wanted) assert.notMatch(line, /^!(\.env|var|node_modules|dist|\.git)/)
  })
})

const noHadolint = without("hadolint")

describe.skipIf(noHadolint)(`hadolint${noHadolint ? ` (skipped: ${noHadolint})` : ""}`, () => {
  it("finds nothing in the Dockerfile", () => {
    const { code, stdout } = ran("hadolint", [join(root, "docker/Dockerfile")])
    assert.deepStrictEqual([code, stdout], [0, ""])
  })
})

const noShellcheck = without("shellcheck")

describe.skipIf(noShellcheck)(`shellcheck on the image${noShellcheck ? ` (skipped: ${noShellcheck})` : ""}`, () => {
  it("finds nothing in its script", () => {
    const { code, stdout } = ran("shellcheck", [join(root, "docker/entry.sh")])
    assert.strictEqual(code, 0, stdout)
  })
})

const noYamllint = without("yamllint")
const noCompose =
  without("docker") || (ran("docker", ["compose", "version"]).code !== 0 && "no docker compose beside docker")

describe.skipIf(noYamllint)(`yamllint${noYamllint ? ` (skipped: ${noYamllint})` : ""}`, () => {
  it("finds nothing in the files", () => {
    const rules = "{extends: relaxed, rules: {line-length: disable, indentation: disable}}"
    const { code, stdout } = ran("yamllint", ["--strict", "-d", rules, join(root, "docker")])
    assert.deepStrictEqual([code, stdout], [0, ""])
  })
})

describe.skipIf(noCompose)(`docker compose${noCompose ? ` (skipped: ${noCompose})` : ""}`, () => {
  it("names what is missing in .env", () => {
    const { code, stderr } = ran("docker", ["compose", "-f", join(root, "docker/compose.yaml"), "config", "--quiet"])
    assert.notStrictEqual(code, 0)
    assert.include(stderr, "docker/README.md")
  })
})
